#!/usr/bin/env bash
# The two commands on a Debian 12 that has nothing but apt: makes a bare root by debootstrap, copies the sources into it
# and runs there, as root, what it is given (default: run, then test). Needs root, debootstrap and a few GB; not part
# of the test suite.
#   bare_debian.sh FOLDER [bootstrap.sh's arguments, each a call of its own]
# The bare root gets what reaches the network from here: name servers, apt's sources and certificates, pip's settings.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
root=$1
shift
if [ $# = 0 ]; then set -- run test; fi
mirror=${MIRROR:-$(apt-cache policy | sed -n 's,^ *[0-9]* \(http[^ ]*\) bookworm/main .*,\1,p' | head -1)}

if [ ! -e "$root/etc/debian_version" ]; then
  debootstrap --variant=minbase bookworm "$root" "$mirror"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  for place in /etc/apt/apt.conf.d /etc/pip.conf /usr/local/share/ca-certificates; do
    if [ -e "$place" ]; then
      mkdir -p "$root$(dirname "$place")"
      cp -rn "$place" "$root$(dirname "$place")/"
    fi
  done
fi
for program in gcc cc make cmake pip pip3 sudo python3; do
  if chroot "$root" sh -c "command -v $program" && [ ! -e "$root/src" ]; then
    echo "not a bare root: $program is there"
    exit 1
  fi
done

mkdir -p "$root/src"
(cd "$source" && git ls-files --cached --others --exclude-standard -z | tar -c --null -T - -f -) | tar -x -C "$root/src"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
for call in "$@"; do
  echo "== sh cmake/bootstrap.sh $call"
  # shellcheck disable=SC2086 # a call is a list of words
  time chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    ${PIP_CERT:+PIP_CERT="$PIP_CERT"} sh -c 'cd /src && exec sh cmake/bootstrap.sh "$@"' sh $call </dev/null
done
