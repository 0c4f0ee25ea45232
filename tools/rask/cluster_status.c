#include "cluster_status.h"

#include "say.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* -- JSON */

static void add(cJSON *object, const char *name, double number)
{
    cJSON_AddNumberToObject(object, name, number);
}

static cJSON *worker_json(const rask_cluster_worker_state *w)
{
    cJSON *object = cJSON_CreateObject();
    add(object, "id", w->id);
    cJSON_AddStringToObject(object, "host", w->host);
    add(object, "threads", w->threads);
    add(object, "lanes", w->lanes);
    add(object, "running", w->running);
    add(object, "done", (double)w->done);
    add(object, "memory", (double)w->memory);
    add(object, "memory_used", (double)w->memory_used);
    add(object, "seconds", w->seconds);
    add(object, "epoch", w->epoch);
    cJSON_AddBoolToObject(object, "leaving", w->leaving);
    return object;
}

static cJSON *run_json(const rask_cluster_run_state *r)
{
    cJSON *object = cJSON_CreateObject();
    add(object, "id", r->id);
    add(object, "tasks", r->tasks);
    add(object, "finished", r->finished);
    add(object, "failed", r->failed);
    add(object, "running", r->running);
    add(object, "queued", r->queued);
    add(object, "workers", r->workers);
    add(object, "seconds", r->seconds);
    add(object, "retries", (double)r->retries);
    cJSON_AddBoolToObject(object, "ending", r->ending);
    return object;
}

static void print_json(const rask_cluster_state *s)
{
    cJSON *all = cJSON_CreateObject();
    cJSON_AddStringToObject(all, "host", s->host);
    cJSON_AddStringToObject(all, "program", s->program);
    add(all, "protocol", s->protocol);
    add(all, "seconds", s->seconds);
    cJSON *workers = cJSON_AddArrayToObject(all, "workers"), *runs = cJSON_AddArrayToObject(all, "runs");
    for (uint32_t i = 0; i < s->worker_count; i++)
        cJSON_AddItemToArray(workers, worker_json(&s->workers[i]));
    for (uint32_t i = 0; i < s->run_count; i++)
        cJSON_AddItemToArray(runs, run_json(&s->runs[i]));
    char *text = cJSON_PrintUnformatted(all);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(all);
}

/* -- For people */

static const char *s_of(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static void print_worker(const rask_cluster_worker_state *w)
{
    char used[32], memory[32];
    printf("worker %u on %s: %u thread%s, %u running, %llu done; %s of %s; for %.1f s%s\n", w->id, w->host,
           w->threads, s_of(w->threads), w->running, (unsigned long long)w->done,
           say_size(w->memory_used, used, sizeof used), say_size(w->memory, memory, sizeof memory),
           w->seconds, w->leaving ? "; is leaving" : "");
}

static void print_run(const rask_cluster_run_state *r)
{
    printf("run %u: %u of %u task%s finished, %u failed, %u running, %u queued; %u worker%s; for %.1f s%s\n",
           r->id, r->finished, r->tasks, s_of(r->tasks), r->failed, r->running, r->queued, r->workers,
           s_of(r->workers), r->seconds, r->ending ? "; is ending" : "");
}

static void print(const rask_cluster_state *s)
{
    printf("program on %s: %u worker%s, %u run%s; for %.1f s\n", s->host, s->worker_count,
           s_of(s->worker_count), s->run_count, s_of(s->run_count), s->seconds);
    for (uint32_t i = 0; i < s->worker_count; i++)
        print_worker(&s->workers[i]);
    for (uint32_t i = 0; i < s->run_count; i++)
        print_run(&s->runs[i]);
}

int cluster_status(const char *command, const char *address, const worker_fields *fields, bool json)
{
    char reason[1024] = "";
    rask_cluster_state *state;
    const rask_worker_options o = cluster_worker_options(address, fields);
    int status = rask_cluster_ask(&o, &state, reason, sizeof reason);
    if (status)
        return cluster_failed(command, address, status, reason);
    if (json)
        print_json(state);
    else
        print(state);
    rask_cluster_state_free(state);
    return say_done(command);
}
