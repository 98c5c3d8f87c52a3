# Ends what a program left, and packs what it changed: collect.sh FOLDER
# Prints what there is to fetch, a line each: `refused WHY`, `output none|file|other`, `changed`, `gone`.
set -eu
declare -A known=()
while read -r process; do known[$process]=1; done < /tmp/nofx/processes
for _ in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for process in /proc/[0-9]*; do
    [ "$process" = "/proc/$$" ] || [ -n "${known[$process]-}" ] || ! kill -KILL "${process#/proc/}" 2> /dev/null || left=1
  done
  [ -n "$left" ] || break
done
export LC_ALL=C
cd /tmp/nofx
if [ -f refused ]; then
  printf 'refused %s\n' "$(head -c 1000 refused)"
  exit
fi
if [ -L out/output.json ]; then
  echo output other
elif [ -f out/output.json ]; then
  echo output file
elif [ -e out/output.json ]; then
  echo output other
else
  echo output none
fi
# A program may have removed its folder.
mkdir -p -- "$1"
cd -- "$1"
find . -mindepth 1 -printf '%y %m %s %C@ %i\t%P\0' | sort --zero-terminated > /tmp/nofx/after
cd /tmp/nofx
# Of each file its kind and its path.
kinds() {
  sed --null-data 's/^\(.\)[^\t]*\t/\1/' "$1" | sort --zero-terminated
}
kinds before > before.kinds
kinds after > after.kinds
comm --zero-terminated -23 before.kinds after.kinds | sed --null-data 's/^.//' > gone
comm --zero-terminated -13 before after | sed --null-data 's/^[^\t]*\t//' > changed
mv after before
if [ -s gone ]; then echo gone; fi
if [ -s changed ]; then
  # A file may claim to be larger than the disk.
  tar --create --sparse --file changed.tar --directory "$1" --null --no-recursion --verbatim-files-from --files-from changed
  echo changed
fi
