#!/usr/bin/env bash
# Programs under Slurm: ranks of both MPIs, ZeroMQ with MPI as launcher, steps of workers that join, wrong launches. It starts a
# Slurm of two nodes on this machine for itself. Prints TAP; takes a minute.
#
#   tests/slurm/test_slurm.sh BUILD-DIRECTORY          as root; packages: slurm-wlm munge
# shellcheck source=tests/tools/tap.sh
build=$(realpath "${1:?usage: $(basename "$0") BUILD-DIRECTORY}")
here=$(realpath "$(dirname "$0")")
set -- "$build/examples/example_ranks"
source "$here/../tools/tap.sh"
source "$here/one_machine.sh"
program=$rask
export RASK_WORKERS=1
# Both nodes have the name of one machine, and Open MPI takes them for one: shared memory would be told apart by node and rank.
export OMPI_MCA_btl=tcp,self

for tool in slurmctld slurmd srun munged; do
    if ! command -v $tool >/dev/null; then
        echo "1..0 # SKIP $tool is not there: apt-get install slurm-wlm munge"
        exit 0
    fi
done
if [ "$(id -u)" -ne 0 ]; then
    echo '1..0 # SKIP the nodes need root'
    exit 0
fi
trap 'slurm_stop; rm -rf "$work"' EXIT
if ! slurm_start "$work/slurm"; then
    echo 'Bail out! the nodes of Slurm do not come up'
    tail -n 5 "$work"/slurm/*.log | sed 's/^/# /'
    exit 1
fi

# How MPI starts, command: four tasks on both nodes
step()
{
    timeout 90 srun --quiet --mpi="$1" --nodes=2 --ntasks=4 --overcommit "${@:2}"
}

# All that its TAP plans went well.
plays()
{
    leaves 0 "$@" && ! grep -q '^not ok' out && [ "$(grep -c '^ok' out)" = "$(sed -n 's/^1\.\.//p' out)" ]
}

count_primes()
{
    leaves 0 "$@" "$program" && [ "$(grep -c '^17984 primes' out)" = 1 ]
}

for how in pmix:openmpi pmi2:mpich; do
    mpi=${how%:*} engine=${how#*:}
    count_primes step "$mpi"
    tell "$engine: ranks are workers of the first" $?
    count_primes step "$mpi" env RASK_TRANSPORT=tcp
    tell "$engine: Slurm and MPI as launchers, ZeroMQ for the rest" $?
    plays step "$mpi" "$build/tests/play_ranks" "$engine"
    tell "$engine: what a transport must do" $?
    plays step "$mpi" "$build/tests/play_cluster"
    tell "$engine: growth, failures, crashes and large results" $?
done

leaves 1 step none "$program" && grep -q 'srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH)' err
tell 'tasks that no MPI knows are told the right command' $?
leaves 1 step pmix env -u PMIX_RANK "$program" && grep -q 'srun --mpi=pmix' err
tell 'a program that pmix did not reach is told the right command' $?

# The program outside Slurm, its workers a step, encrypted.
"$build/tools/rask/rask" cluster keys "$work/keys" >out 2>err
export RASK_CLUSTER_KEYS=$work/keys
address=tcp://127.0.0.1:$((30000 + $$ % 9000))
RASK_WORKER_OF=$address srun --quiet --mpi=none --nodes=2 --ntasks=4 --overcommit "$program" >step.out 2>step.err &
count_primes env RASK_CLUSTER="$address"
tell 'a step of workers joins a program' $?
kill $! && timeout 20 tail --pid=$! -f /dev/null
tell 'and leaves when it is told to' $?

cat >job <<JOB
#!/bin/sh
#SBATCH --nodes=2 --ntasks=4 --overcommit --output=$work/job.out
RASK_WORKER_OF=$address srun --mpi=none $program &
RASK_CLUSTER=$address $program
kill \$!
wait
JOB
leaves 0 timeout 60 sbatch --wait job && cp job.out out && [ "$(grep -c '^17984 primes' out)" = 1 ]
tell 'a batch job is the program, with a step of workers' $?
finish
