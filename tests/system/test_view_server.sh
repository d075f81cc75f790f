#!/usr/bin/env bash
# The server of the live view against wrong, hostile, slow and many clients: refused, bounded, and a good client gets
# its pictures all the while. Passes with a word where this build has no live view.
#
#   RL_BIN=build/bin bash tests/system/test_view_server.sh [ROUNDS]     (1)
set -euo pipefail
if [ ! -x "$RL_BIN/serve_view" ]; then
  echo "not tested here: this build has no live view"
  exit 0
fi
timeout 1200 python3 tests/system/view_attack.py "$RL_BIN/serve_view" "${1:-1}"
