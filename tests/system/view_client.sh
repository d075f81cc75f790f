# For the scripts that look at a live view: a client made of bash alone.

# look_at URL SECONDS FILE: takes panel 0's pictures for so long
look_at() {
  local rest=${1#http://} host
  host=${rest%%/*}
  exec 3<>"/dev/tcp/${host%:*}/${host##*:}" || return 1
  printf 'GET /%sstream/0 HTTP/1.1\r\nHost: %s\r\n\r\n' "${rest#*/}" "$host" >&3
  timeout "$2" cat <&3 >"$3" || true
  exec 3>&-
}

# pictures FILE: how many of them came
pictures() { cat "$1" 2>/dev/null | grep -a -c '^Content-Type: image/jpeg' || true; }

# wait_for_url FILE: prints the address that a program says there, or nothing after ten seconds
wait_for_url() {
  local n
  for ((n = 0; n < 100; n++)); do
    if grep -m1 -o 'http://[^ "]*' "$1"; then return; fi
    sleep 0.1
  done
}
