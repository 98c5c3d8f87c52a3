#!/usr/bin/env bash
# Unpacks the file system of a worker's image into a new folder, as worker/Dockerfile makes it, without Docker: as root, with debootstrap, a few minutes.
#   scripts/image-root.sh FOLDER              that of the target `worker`
#   scripts/image-root.sh FOLDER node python  with the tools of these images, too (not rust: its toolchain comes from another image)
# NOFX_TEST_IMAGE=FOLDER scripts/test.sh file_system_of_an_image then runs the smoke test of the prototype in it; with NOFX_TEST_LONG the test makes one itself.
case "${1:-}" in -h | --help | "") exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
folder="$(realpath -m "$1")"
cd "$(dirname "$0")/.."
[ ! -e "$folder" ] || { echo "$folder is there already" >&2; exit 2; }
# The release and the mirror that the machine's own apt uses.
release="$(sed -n 's/^FROM debian:\(.*\)-slim AS worker$/\1/p' worker/Dockerfile)"
mirror="$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | tr -d ' ')"
debootstrap --variant=minbase --include=ca-certificates "$release" "$folder" "$mirror" >&2
mkdir "$folder/images"
cp worker/images/*.sh "$folder/images/"
# Names and certificates are those of this machine.
cp /etc/resolv.conf /etc/hosts "$folder/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
certificates=/etc/ssl/certs/ca-certificates.crt
for image in worker "${@:2}"; do
  # shellcheck disable=SC2016
  unshare --mount --propagation private bash -euc 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
      SSL_CERT_FILE="$3" NODE_EXTRA_CA_CERTS="$3" PIP_CERT="$3" chroot "$1" "/images/$2.sh"' image "$folder" "$image" "$certificates" >&2
done
rm -r "$folder/images"
