#!/bin/sh
# Remove unused files from the virtual environment /opt/connector: the tests of dependencies, and botocore's
# descriptions of AWS services other than S3 and those that provide credentials.
set -eu
site=$(echo /opt/connector/lib/python3*/site-packages)
find "$site" -type d -name tests -prune -exec rm -rf {} +
for service in "$site"/botocore/data/*/; do
    case $(basename "$service") in
        s3 | sts | sso | sso-oidc | signin) ;;
        *) rm -rf "$service" ;;
    esac
done
