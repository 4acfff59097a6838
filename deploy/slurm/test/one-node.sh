#!/usr/bin/env bash
# Shows deploy/slurm on a real Slurm of one node, this machine: an array job, one task of it killed and requeued, another requeued
# while it runs; then the merged results are held against those of one undisturbed command. It must run as root on Debian or Ubuntu.
# Packages that it installs, processes that it starts and files that it writes are gone afterwards; with KEEP=1 packages stay.
set -euo pipefail
cd "$(dirname "$0")/../../.."

packages=(slurmctld slurmd slurm-client munge)
shards=4
flags=(--methods all --seeds 0..3 --epochs 1 --split 300,100,100)
work=$(mktemp -d /tmp/koopbench-slurm-XXXXXX)
installed=()
users=()
daemons=()

say() { printf '%3ds  %s\n' "$SECONDS" "$*"; }

fail() {
  say "failed: $*"
  tail -n 20 "$work"/*.log 2> /dev/null || true
  exit 1
}

clean_up() {
  status=$?
  set +e
  if [ -n "${job:-}" ]; then
    scancel "$job" > /dev/null 2>&1
    for _ in $(seq 50); do over && break; sleep 0.2; done
  fi
  for pid in $(printf '%s\n' "${daemons[@]}" | tac); do # munged last: the others speak through it
    kill "$pid" 2> /dev/null
    for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2> /dev/null
  done
  for pid in $(processes "SLURM_CONF=$work/slurm.conf"); do [ "$pid" = $$ ] || kill -9 "$pid" 2> /dev/null; done
  [ -z "${own_policy:-}" ] || rm "$own_policy"
  if [ "${#installed[@]}" -gt 0 ] && [ "${KEEP:-}" != 1 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get purge -qq -y --auto-remove "${installed[@]}" > "$work/purge.log" 2>&1
    for u in "${users[@]}"; do userdel "$u" 2> /dev/null; done
  fi
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT

# processes NAME=VALUE...: those that have all of these in their environment.
processes() {
  local p v
  for p in /proc/[0-9]*; do
    for v; do { tr '\0' '\n' < "$p/environ"; } 2> /dev/null | grep -qxF -- "$v" || continue 2; done
    echo "${p#/proc/}"
  done
}

over() { ! squeue --noheader --job "$job" --format %T 2> /dev/null | grep -q .; }

# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || fail "waited too long for $what"
    sleep 0.05
  done
}

[ "$(id -u)" = 0 ] || { echo "it must run as root: it installs Slurm and starts its daemons"; exit 1; }
CGO_ENABLED=0 go build -trimpath -o "$work/bench" ./cmd/bench

for p in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$p" 2> /dev/null | grep -qx installed || installed+=("$p")
done
if [ "${#installed[@]}" -gt 0 ]; then
  say "installing ${installed[*]}"
  apt-get update -qq
  for u in slurm munge; do getent passwd "$u" > /dev/null || users+=("$u"); done
  # The daemons are started below, with a configuration and ports of their own.
  policy=/usr/sbin/policy-rc.d
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod +x $policy; own_policy=$policy; }
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${installed[@]}" > "$work/install.log" 2>&1 || fail "apt-get install"
  [ -z "${own_policy:-}" ] || rm "$own_policy"
  own_policy=
fi

node=$(hostname -s)
mkdir -p "$work"/{state,spool,munge}
chmod 0711 "$work"
dd if=/dev/urandom of="$work/munge/key" bs=64 count=1 status=none
chmod 0400 "$work/munge/key"
chmod 0755 "$work/munge"
cat > "$work/slurm.conf" << CONF
ClusterName=koopbench
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CryptoType=crypto/munge
SlurmctldPort=17817
SlurmdPort=17818
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf

munged --foreground --force --key-file "$work/munge/key" --socket "$work/munge/socket" --pid-file "$work/munge/pid" --log-file "$work/munged.log" --seed-file "$work/munge/seed" > "$work/munged-out.log" 2>&1 &
daemons+=($!)
await 10 "munged" test -S "$work/munge/socket"
slurmctld -D > "$work/slurmctld-out.log" 2>&1 &
daemons+=($!)
slurmd -D -N "$node" > "$work/slurmd-out.log" 2>&1 &
daemons+=($!)
idle() { sinfo --noheader --format %t 2> /dev/null | grep -qx idle; }
await 30 "an idle node" idle
say "Slurm $(sinfo --version | cut -d' ' -f2) runs on $node"

export BENCH=$work/bench
out=$work/results
job=$(sbatch --parsable --array=0-$((shards - 1)) --cpus-per-task=1 --mem=0 --output="$work/task-%a.log" deploy/slurm/array.sbatch "${flags[@]}" --out "$out")
say "job $job: sbatch --array=0-$((shards - 1)) deploy/slurm/array.sbatch ${flags[*]} --out …"

state() { squeue --noheader --states=all --job "${job}_$1" --format %T; }
in_state() { state "$1" | grep -qx "$2"; }
finished() { grep ': done in ' "$work/task-$1.log" 2> /dev/null | grep -vc '^oracle,'; }
kept() { grep 'already finished' "$work/task-$1.log" | grep -vc '^oracle,'; }
begun() { [ "$(finished "$1")" -ge 2 ]; }
restarts() { scontrol show job "${job}_$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }
# at_once: a task that is given again waits two minutes otherwise, in case its node is broken.
at_once() { scontrol update "JobId=${job}_$1" StartTime=now; }

# process_of TASK sets pid: the batch script has become the program.
process_of() {
  local p
  for p in $(processes "SLURM_ARRAY_JOB_ID=$job" "SLURM_ARRAY_TASK_ID=$1"); do
    [ "$(readlink "/proc/$p/exe")" != "$BENCH" ] || { pid=$p; return 0; }
  done
  return 1
}

await 60 "the process of task 1" process_of 1
await 60 "finished runs of task 1" begun 1
kill -9 "$pid"
await 30 "the end of task 1" in_state 1 FAILED
say "task 1 was killed by SIGKILL after $(finished 1) finished runs, and is $(state 1)"
scontrol requeue "${job}_1"
at_once 1 || true

await 60 "finished runs of task 2" begun 2
if in_state 2 RUNNING; then
  scontrol requeue "${job}_2"
  say "task 2 was requeued while it ran, after $(finished 2) finished runs"
  await 30 "the end of task 2" in_state 2 PENDING
  at_once 2 || true
fi

await 300 "the end of the job" over
for i in $(seq 0 $((shards - 1))); do
  in_state "$i" COMPLETED || fail "task $i is $(state "$i")"
  say "task $i: $(state "$i"), restarts $(restarts "$i"), $(finished "$i") runs made, $(kept "$i") found finished"
done
[ "$(restarts 1)" -ge 1 ] || fail "task 1 was not started again"
[ "$(kept 1)" -ge 1 ] || fail "task 1 began anew"

"$BENCH" merge --out "$out" "$out" --quiet > "$work/merged.txt"
say "merged; and now one command without shards"
"$BENCH" run "${flags[@]}" --out "$work/whole" --quiet > "$work/whole.txt"
diff <(sort "$work/whole/results.csv") <(sort "$out/results.csv") || fail "the merged results are not those of one command"
say "$(($(wc -l < "$out/results.csv") - 1)) accuracies and SHA-256 of predictions are the same"
