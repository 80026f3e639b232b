#!/bin/sh
# Prints .env.example with a secret of its own wherever that leaves one out:
#   sh deploy/make-secrets.sh shop.example.com > deploy/.env
# Letters and digits only, since the passwords stand in addresses.
set -eu
host="${1:-localhost}"
cd "$(dirname "$0")"
while IFS= read -r line; do
  case "$line" in
    PUBLIC_URL=*) echo "PUBLIC_URL=https://$host" ;;
    SITE_ADDRESS=*) echo "SITE_ADDRESS=$host" ;;
    *_PASSWORD= | *_SECRET=) echo "$line$(od -An -N 32 -tx1 /dev/urandom | tr -d ' \n')" ;;
    *) echo "$line" ;;
  esac
done <.env.example
