#!/bin/sh
# Collect in /own the files that connector $1 (such as source-segment) adds to its dependencies in /opt/connector: its
# script, its package and the package that all connectors share.
set -eu
name=$1
package=$(echo "$name" | tr - _)
pip/bin/pip --python /opt/connector/bin/python install --no-deps dist/*.whl
cd /opt/connector
site=$(echo lib/python3*/site-packages)
mkdir -p /own/bin "/own/$site"
cp "bin/$name" /own/bin
cp -r "$site/$package" "$site/cdp_connectors" "$site"/cdp_connectors-*.dist-info "/own/$site"
rm -rf "/own/$site/cdp_connectors/tools"
