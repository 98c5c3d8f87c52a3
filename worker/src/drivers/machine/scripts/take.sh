# Puts the folder in place of what is there: take.sh FOLDER
set -eu
export LC_ALL=C
rm -rf -- "$1"
mkdir -p -- "$1"
cd -- "$1"
tar --extract --preserve-permissions --no-same-owner --file /tmp/nofx/up.tar
rm -f /tmp/nofx/up.tar
find . -mindepth 1 -printf '%y %m %s %C@ %i\t%P\0' | sort --zero-terminated > /tmp/nofx/before
