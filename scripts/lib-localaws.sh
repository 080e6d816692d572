#!/usr/bin/env bash
# Working with the local AWS (tests/localaws), for scripts that have sourced lib.sh. Defines
#   use_localaws PORT     points this script and its children at it, whatever AWS configuration the user has
#   free_port             a port that nobody uses
#   port_is_free PORT     whether PORT can be served on
#   wait_for_localaws PORT PID LOG   until it answers; ends the script when it does not within 90 s
#   control METHOD NAME [JSON]       one request of its control API

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  echo "lib-localaws.sh is sourced by the other scripts; it does nothing by itself." >&2
  exit 2
fi

LOCALAWS_HOST=127.0.0.1

use_localaws() {
  local name
  # Nothing of the user's own configuration, and no proxy, may lead to the real AWS.
  for name in $(compgen -e | grep -E '^AWS_' || true); do
    case $name in AWS_CLI | AWS_PAGER | AWS_CLI_AUTO_PROMPT) ;; *) unset "$name" ;; esac
  done
  export AWS_ENDPOINT_URL=http://$LOCALAWS_HOST:$1
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
  export NO_PROXY=$LOCALAWS_HOST no_proxy=$LOCALAWS_HOST
}

free_port() {
  "$(python_command)" -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])'
}

port_is_free() {
  "$(python_command)" -c 'import socket, sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(sys.argv[1])))' "$1" 2>/dev/null
}

control() {
  "$(python_command)" -c 'import sys, urllib.request
method, url, body = sys.argv[1], sys.argv[2], sys.argv[3].encode() or None
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(urllib.request.Request(url, body, method=method), timeout=30).read().decode())' \
    "$1" "$AWS_ENDPOINT_URL/_localaws/$2" "${3:-}"
}

wait_for_localaws() {
  local port=$1 pid=$2 log=$3 end=$((SECONDS + 90))
  until AWS_ENDPOINT_URL=http://$LOCALAWS_HOST:$port control GET health >/dev/null 2>&1; do
    if ! kill -0 "$pid" 2>/dev/null; then
      tail -n 15 "$log" >&2
      die "The local AWS ended at once." "Read $log."
    fi
    [ "$SECONDS" -lt "$end" ] || die "The local AWS does not answer on port $port." "Read $log."
    sleep 0.3
  done
}
