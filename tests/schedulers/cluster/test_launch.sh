#!/usr/bin/env bash
# What a program says when it was started in a way that does not work. Prints TAP.
#
#   tests/schedulers/cluster/test_launch.sh PROGRAM [LAUNCHER…]     the program is examples/ranks.c
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/../../tools/tap.sh"
program=$rask
launcher=("${@:2}")
export RASK_WORKERS=1

# name, wanted exit status, word on stderr, command
says()
{
    leaves "$2" timeout 30 "${@:4}" && grep -q -- "$3" err
    tell "$1" $?
}

leaves 0 "$program" && grep -q '^17984 primes' out
tell 'alone it computes on its own threads' $?
says 'ranks without a launcher' 1 'mpirun -n 4' env RASK_CLUSTER=mpi: "$program"
says 'tasks of Slurm that no MPI knows' 1 'srun --mpi=pmix' env SLURM_STEP_NUM_TASKS=4 "$program"
if [ ${#launcher[@]} -gt 0 ]; then
    says 'an unknown transport' 1 'neither mpi nor tcp' "${launcher[@]}" -n 2 env RASK_TRANSPORT=pigeons "$program"
    says 'a key file where nothing is encrypted' 1 'takes no key file' "${launcher[@]}" -n 2 env RASK_CLUSTER_KEYS=keys "$program"
    leaves 0 timeout 30 "${launcher[@]}" -n 1 "$program" && grep -q '^17984 primes' out
    tell 'one rank is a program like any' $?
    leaves 0 timeout 30 "${launcher[@]}" -n 3 env RASK_SCHEDULER=threads "$program" && [ "$(grep -c primes out)" = 1 ]
    tell 'with another scheduler the other ranks wait' $?
fi
case ${launcher[*]} in
    *mpich*) says 'an MPI that sees one of several tasks alone' 1 'srun --mpi=pmi2' env SLURM_STEP_NUM_TASKS=4 SLURM_NTASKS=4 PMI_RANK=0 "$program" ;;
esac
finish
