#include "schedulers/cluster/transport.h"

#include "core/base/atomic.h"
#include "schedulers/cluster/ranks/indoor.h"
#include "schedulers/cluster/wire/endpoint.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZMQ, OPENMPI, MPICH, INDOOR, ENGINES };

static const struct {
    const char *module, *library; /* the package that the module needs */
} needs[ENGINES] = {
    [ZMQ] = {"rask-transport-zmq", "libzmq5"},
    [OPENMPI] = {"rask-transport-openmpi", "libopenmpi3 and openmpi-bin"},
    [MPICH] = {"rask-transport-mpich", "mpich"},
};

/* Each written once, with the address of what is never unloaded. */
static _Atomic(const void *) places[ENGINES] = {[INDOOR] = &rk_indoor_wire};

static int open_with(const rk_transport_engine *engine, const rk_transport_setup *setup, rk_transport **out,
                     char *reason, size_t capacity);

static const rk_wire_module *zmq_wire(void)
{
    return rk_load_acquire(&places[ZMQ]);
}

static int make_zmq_secret(char secret[RK_MAX_KEY + 1])
{
    return zmq_wire()->make_secret(secret);
}

static int zmq_public_key(const char *secret, char key[RK_MAX_KEY + 1])
{
    return zmq_wire()->public_key(secret, key);
}

static int make_no_secret(char secret[RK_MAX_KEY + 1])
{
    (void)secret;
    return RASK_EUNSUPPORTED;
}

static int no_public_key(const char *secret, char key[RK_MAX_KEY + 1])
{
    (void)secret, (void)key;
    return RASK_EUNSUPPORTED;
}

#define SHARED_CALLS                                                                                         \
    .open = open_with, .close = rk_endpoint_close, .contact = rk_endpoint_contact, .dial = rk_endpoint_dial, \
    .send = rk_endpoint_send, .pull = rk_endpoint_pull, .drop = rk_endpoint_drop,                            \
    .descriptor = rk_endpoint_descriptor, .progress = rk_endpoint_progress, .allow = rk_endpoint_allow
#define MPI_CALLS SHARED_CALLS, .make_secret = make_no_secret, .public_key = no_public_key

static const rk_transport_engine engines[ENGINES] = {
    [ZMQ] = {.name = "zmq",
             .abilities = {.elastic = true, .encrypted = true, .notices_loss = true},
             SHARED_CALLS,
             .make_secret = make_zmq_secret,
             .public_key = zmq_public_key},
    [OPENMPI] = {.name = "openmpi", MPI_CALLS},
    [MPICH] = {.name = "mpich", MPI_CALLS},
    [INDOOR] = {.name = "rank", MPI_CALLS}, /* a rank's child, which has it for MPI */
};

static int open_with(const rk_transport_engine *engine, const rk_transport_setup *setup, rk_transport **out,
                     char *reason, size_t capacity)
{
    return rk_endpoint_open(rk_load_acquire(&places[engine - engines]), setup, out, reason, capacity);
}

static int load(int which, char *reason, size_t capacity)
{
    char why[512] = "";
    const void *module;
    if (rk_load_acquire(&places[which]))
        return RASK_OK;
    int status = rk_module_open(needs[which].module, sizeof(rk_wire_module), &module, why, sizeof why);
    if (!status)
        rk_store_release(&places[which], module);
    else if (status == RASK_ENOMEM)
        snprintf(reason, capacity, "%s", rask_status_text(status));
    else
        snprintf(reason, capacity,
                 "the engine %s needs the module %s: install the packages %s and %s (%.200s)",
                 engines[which].name, needs[which].module, needs[which].library, needs[which].module, why);
    return status == RASK_OK || status == RASK_ENOMEM ? status : RASK_EUNSUPPORTED;
}

/* Which MPI this process is of: the one it is linked with, or else the one whose launcher left its marks in the environment, for
 * two in one process do not get along. ENGINES: it does not show. */
static int mpi_of_process(void)
{
    if (dlsym(RTLD_DEFAULT, "ompi_mpi_comm_world") || getenv("OMPI_COMM_WORLD_SIZE"))
        return OPENMPI;
    if (dlsym(RTLD_DEFAULT, "MPI_Init") || getenv("PMI_RANK") || getenv("HYDI_CONTROL_FD"))
        return MPICH;
    return getenv("PMIX_RANK") ? OPENMPI : ENGINES;
}

static int load_mpi(int *which, char *reason, size_t capacity)
{
    *which = rk_indoor_is() ? INDOOR : mpi_of_process();
    if (*which != ENGINES)
        return load(*which, reason, capacity);
    *which = OPENMPI;
    if (!load(OPENMPI, reason, capacity))
        return RASK_OK;
    char second[512];
    int status = load(MPICH, second, sizeof second);
    if (!status)
        *which = MPICH;
    return status;
}

int rk_transport_find(const char *name, const rk_transport_engine **engine, char *reason, size_t capacity)
{
    int which = 0, status;
    if (!strcmp(name, "mpi")) {
        status = load_mpi(&which, reason, capacity);
    } else {
        while (which < INDOOR && strcmp(name, engines[which].name) != 0)
            which++;
        if (which == INDOOR) {
            snprintf(reason, capacity,
                     "there is no transport \"%.40s\": known are zmq, mpi, openmpi and mpich", name);
            return RASK_EINVAL;
        }
        status = load(which, reason, capacity);
    }
    if (!status)
        *engine = &engines[which];
    return status;
}

const rk_wire_module *rk_transport_wire(const rk_transport_engine *engine)
{
    return rk_load_acquire(&places[engine - engines]);
}
