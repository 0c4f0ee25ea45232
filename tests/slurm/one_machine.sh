# shellcheck shell=bash
# A Slurm of two nodes, "n1" and "n2", on this machine, in a folder and at ports of its own, beside any other that runs here.
# To be sourced: slurm_start FOLDER, slurm_stop. Needs slurmctld, slurmd, srun and munged, and root.

# Folder, ports
slurm_configure()
{
    cat >"$1/slurm.conf" <<CONF
ClusterName=rask
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$2
AuthType=auth/munge
AuthInfo=socket=$1/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool-%n
TmpFS=$1/tmp-%n
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd-%n.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
NodeName=n[1-2] NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=[$(($2 + 1))-$(($2 + 2))] CPUs=4 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

# Answers 0 when both nodes are idle, after ten seconds at most.
slurm_await()
{
    timeout 10 sh -c 'until [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = 2 ]; do sleep 0.1; done'
}

slurm_start()
{
    local place=$1
    slurm_pids=()
    mkdir -p "$place"/{state,spool-n1,spool-n2,tmp-n1,tmp-n2}
    chmod 755 "$place"
    dd if=/dev/urandom of="$place/munge.key" bs=1024 count=1 status=none
    chmod 400 "$place/munge.key"
    slurm_configure "$place" $((20000 + $$ % 9000))
    export SLURM_CONF=$place/slurm.conf
    munged --force --foreground --key-file="$place/munge.key" --socket="$place/munge.socket" --pid-file="$place/munged.pid" \
        --log-file="$place/munged.log" --seed-file="$place/munged.seed" 2>/dev/null &
    slurm_pids+=($!)
    while [ ! -S "$place/munge.socket" ] && kill -0 "${slurm_pids[0]}"; do sleep 0.05; done
    slurmctld -D 2>/dev/null &
    slurm_pids+=($!)
    slurmd -D -N n1 2>/dev/null &
    slurm_pids+=($!)
    slurmd -D -N n2 2>/dev/null &
    slurm_pids+=($!)
    slurm_await
}

# Steps that have not ended when the controller goes would look for it for ever.
slurm_stop()
{
    [ ${#slurm_pids[@]} -gt 0 ] || return
    scancel --user=root
    timeout 20 sh -c 'while [ -n "$(squeue --noheader)" ]; do sleep 0.1; done'
    kill "${slurm_pids[@]}"
    timeout --signal=KILL 10 tail "${slurm_pids[@]/#/--pid=}" -f /dev/null || kill -9 "${slurm_pids[@]}"
    slurm_pids=()
}
