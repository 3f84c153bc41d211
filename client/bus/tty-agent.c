/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus/tty-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The agent closes this descriptor when it is ready. */
#define NOTIFY_FD 3

/* After this time the call continues without the agent. */
#define AGENT_READY_MAX 5000 /* ms */

struct Agent {
    GPid pid;
};

/* Runs between fork and exec. The agent must end with streamctl, or it keeps the terminal; and a
 * caller that has signals blocked (bus_listen) would have it deaf to the one that ends it. */
static void
agent_in_child(gpointer data)
{
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean
agent_spawn(Agent *agent, int notify)
{
    g_autofree char *fd = g_strdup_printf("%d", NOTIFY_FD);
    g_autofree char *process = g_strdup_printf("%d", (int)getpid());
    const char *argv[] = {"pkttyagent", "--notify-fd", fd,  "--fallback",
                          "--process",  process,       NULL};

    /* The agent opens the terminal itself. Standard output may belong to a stream. */
    return g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL,
        G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
        agent_in_child, NULL, -1, -1, -1, &notify, (const int[]){NOTIFY_FD}, 1, &agent->pid, NULL,
        NULL, NULL, NULL);
}

/* Waits until the other end is closed: by the agent, or because it ended. */
static void
agent_wait_ready(int notify)
{
    struct pollfd fd = {.fd = notify, .events = POLLIN};
    int r;

    do
        r = poll(&fd, 1, AGENT_READY_MAX);
    while (r < 0 && errno == EINTR);
}

Agent *
agent_start_anyway(void)
{
    g_autofree Agent *agent = g_new0(Agent, 1);
    gboolean started;
    int notify[2];

    if (pipe2(notify, O_CLOEXEC) < 0)
        return NULL;
    started = agent_spawn(agent, notify[1]);
    (void)close(notify[1]);
    if (started)
        agent_wait_ready(notify[0]);
    (void)close(notify[0]);
    return started ? g_steal_pointer(&agent) : NULL;
}

gboolean
agent_has_terminal(void)
{
    return isatty(STDIN_FILENO) || isatty(STDERR_FILENO);
}

Agent *
agent_start(void)
{
    return agent_has_terminal() ? agent_start_anyway() : NULL;
}

void
agent_stop(Agent *agent)
{
    if (agent == NULL)
        return;
    (void)kill(agent->pid, SIGTERM);
    (void)kill(agent->pid, SIGCONT);
    while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    g_free(agent);
}
