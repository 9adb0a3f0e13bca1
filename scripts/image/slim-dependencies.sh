#!/bin/sh
# Remove from the virtual environment /opt/connector what no connector runs: the tests of its dependencies, and
# botocore's descriptions of the AWS services other than S3 and those that credentials come from.
set -eu
site=$(echo /opt/connector/lib/python3*/site-packages)
find "$site" -type d -name tests -prune -exec rm -rf {} +
for service in "$site"/botocore/data/*/; do
    case $(basename "$service") in
        s3 | sts | sso | sso-oidc | signin) ;;
        *) rm -rf "$service" ;;
    esac
done
