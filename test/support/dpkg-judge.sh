#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks the packages of folder $2 into $1 and lets the real dpkg configure them there. Needs root, Linux and dpkg;
# the packages must be of this machine's architecture. Its mounts live in a namespace that ends with the script.
set -eu
if [ "${JUDGE_INSIDE:-}" != yes ]; then
  JUDGE_INSIDE=yes exec unshare --mount --propagation private -- sh "$0" "$@"
fi
root=$1
packages=$2
info=$root/var/lib/dpkg/info
mkdir -p "$root"
chmod 755 "$root"
# base-files first: its links make /usr merged for all the others.
for package in "$packages"/base-files_*.deb "$packages"/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -xpf - -C "$root" --keep-directory-symlink
done
mkdir -p "$info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
echo 1 >"$info/format"
: >"$root/var/lib/dpkg/status"
control=$(mktemp -d)
for package in "$packages"/*.deb; do
  rm -rf "$control"
  dpkg-deb --control "$package" "$control"
  name=$(dpkg-deb --field "$package" Package)
  id=$name
  [ "$(dpkg-deb --field "$package" Multi-Arch)" != same ] || id=$name:$(dpkg-deb --field "$package" Architecture)
  for member in "$control"/*; do
    [ "${member##*/}" = control ] || cp -p "$member" "$info/$id.${member##*/}"
  done
  dpkg-deb --fsys-tarfile "$package" | tar --quoting-style=literal -tf - | sed 's,^\.,,; s,/$,,; s,^$,/.,' >"$info/$id.list"
  {
    sed '/^Package: /a Status: install ok unpacked' "$control/control"
    if [ -f "$control/conffiles" ]; then
      echo Conffiles:
      sed -n 's,^/.*, & newconffile,p' "$control/conffiles"
    fi
    echo
  } >>"$root/var/lib/dpkg/status"
done
rm -rf "$control"
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive \
  DEBCONF_NONINTERACTIVE_SEEN=true SOURCE_DATE_EPOCH=0 \
  chroot "$root" dpkg --configure -a --force-depends
rm "$root/usr/sbin/policy-rc.d"
