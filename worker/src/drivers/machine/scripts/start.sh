# Becomes a program: start.sh FOLDER LIMITS SCRIPT PROGRAM ARGUMENTS…
# SCRIPT, unless it is empty, is the text of a file that is the last argument.
# LIMITS are options of ulimit with their numbers: "t=60 d=1048576". When one cannot be set, nothing of the program runs.
refuse() {
  printf '%s\n' "$1" > /tmp/nofx/refused
  exit 126
}
folder=$1 limits=$2 script=$3
shift 3
rm -rf /tmp/nofx/out /tmp/nofx/refused
mkdir -p /tmp/nofx/out
if [ -n "$script" ]; then
  printf '%s' "$script" > /tmp/nofx/script || refuse "the script could not be written"
  set -- "$@" /tmp/nofx/script
fi
# What runs already is not the program's.
printf '%s\n' /proc/[0-9]* > /tmp/nofx/processes
cd -- "$folder" || refuse "the folder is not there"
type -P -- "$1" > /dev/null || refuse "could not start \`$1\`: there is no such program on the machine"
for limit in $limits; do
  ulimit "-${limit%%=*}" "${limit#*=}" || refuse "the machine does not take the limit $limit"
done
# As here (docs/confinement.md).
umask 027
exec -- "$@" < /dev/null
