#!/bin/sh
# As in the image this stands in for: arguments are minio's, whether or not they begin with its name.
[ "${1:-}" = minio ] || set -- minio "$@"
exec "$@"
