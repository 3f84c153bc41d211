/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device on Paho's C library, over TCP or WebSocket, as one that was written for another hub: see
 * lines.py for what it reads and says. */
#include <MQTTClient.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192
#define WORDS_MAX 9
#define WAIT_MS 60000

typedef struct {
    MQTTClient client;
    char user[512];
    char password[1024];
    char ca[512];
    int keep_alive;
    int one_by_one; /* of two acknowledgements in one TLS record it does not see the second over
                       WebSocket */
    atomic_int lost;
} Device;

static void
say(const char *line)
{
    (void)fputs(line, stdout);
    (void)fflush(stdout);
}

static void
print_text(const char *text, int len)
{
    for (int i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            (void)putchar('\\');
        (void)putchar(text[i]);
    }
}

static int
device_message(void *data, char *topic, int topic_len, MQTTClient_message *message)
{
    (void)data;
    (void)topic_len;
    (void)fputs("{\"event\": \"message\", \"topic\": \"", stdout);
    print_text(topic, (int)strlen(topic));
    (void)fputs("\", \"payload\": \"", stdout);
    print_text(message->payload, message->payloadlen);
    say("\"}\n");
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return 1;
}

static void
device_lost(void *data, char *cause)
{
    Device *device = data;

    (void)cause;
    say("{\"event\": \"lost\"}\n");
    atomic_store(&device->lost, 1);
}

static int
device_connect(Device *device)
{
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
    int code;

    ssl.trustStore = device->ca;
    ssl.verify = 1;
    if (strncmp(device->password, "cert:", 5) == 0)
        ssl.keyStore = ssl.privateKey = device->password + 5;
    options.keepAliveInterval = device->keep_alive;
    options.cleansession = 0;
    options.reliable = device->one_by_one;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.username = device->user;
    options.password = ssl.keyStore ? NULL : device->password;
    options.ssl = &ssl;
    code = MQTTClient_connect(device->client, &options);
    (void)printf("{\"event\": \"connected\", \"code\": %d, \"present\": %d}\n", code,
                 options.returned.sessionPresent);
    (void)fflush(stdout);
    return code;
}

/* Out of the words of "connect". */
static int
device_open(Device *device, char **words)
{
    int ws = strcmp(words[3], "ws") == 0;
    char uri[512];

    (void)snprintf(uri, sizeof uri, "%s://%s:%s%s", ws ? "wss" : "ssl", words[1], words[2],
                   ws ? "/$iothub/websocket" : "");
    (void)snprintf(device->ca, sizeof device->ca, "%s", words[4]);
    (void)snprintf(device->user, sizeof device->user, "%s", words[6]);
    (void)snprintf(device->password, sizeof device->password, "%s", words[7]);
    device->keep_alive = atoi(words[8]);
    device->one_by_one = ws;
    return MQTTClient_create(&device->client, uri, words[5], MQTTCLIENT_PERSISTENCE_NONE, NULL) ||
           MQTTClient_setCallbacks(device->client, device, device_lost, device_message, NULL) ||
           device_connect(device);
}

static int
device_publish(Device *device, const char *topic, int qos, const char *payload)
{
    MQTTClient_deliveryToken token;

    return MQTTClient_publish(device->client, topic, (int)strlen(payload), payload, qos, 0,
                              &token) ||
           (qos > 0 && MQTTClient_waitForCompletion(device->client, token, WAIT_MS));
}

/* The library has at most ten in flight, and publish() waits for its turn. */
static void
device_telemetry(Device *device, const char *topic, int count)
{
    MQTTClient_deliveryToken token = 0;
    int acknowledged = 0;

    for (int i = 0; i < count; i++)
        acknowledged += MQTTClient_publish(device->client, topic, 1, "m", 1, 0, &token) == 0;
    if (MQTTClient_waitForCompletion(device->client, token, WAIT_MS))
        acknowledged = -1;
    (void)printf("{\"done\": \"telemetry\", \"acknowledged\": %d}\n", acknowledged);
    (void)fflush(stdout);
}

static int
device_do(Device *device, char **words)
{
    if (strcmp(words[0], "subscribe") == 0) {
        int code = MQTTClient_subscribe(device->client, words[1], atoi(words[2]));

        (void)printf("{\"done\": \"subscribe\", \"codes\": [%d]}\n", code);
        (void)fflush(stdout);
    } else if (strcmp(words[0], "publish") == 0) {
        say(device_publish(device, words[1], atoi(words[2]), words[3])
                ? "{\"done\": \"publish\", \"error\": \"not acknowledged\"}\n"
                : "{\"done\": \"publish\"}\n");
    } else if (strcmp(words[0], "telemetry") == 0) {
        device_telemetry(device, words[1], atoi(words[2]));
    } else if (strcmp(words[0], "password") == 0) {
        (void)snprintf(device->password, sizeof device->password, "%s", words[1]);
        say("{\"done\": \"password\"}\n");
    } else {
        return 0;
    }
    return 1;
}

static void
split(char *line, char **words)
{
    char *rest = line;
    int count = 0;

    line[strcspn(line, "\n")] = '\0';
    for (; count < WORDS_MAX; count++)
        words[count] = rest ? strsep(&rest, "\t") : "";
}

/* A line of standard input, read by the byte so that poll() tells the truth; 0: the end. */
static int
read_line(char *line)
{
    size_t len = 0;

    while (len + 1 < LINE_MAX_BYTES && read(STDIN_FILENO, line + len, 1) == 1) {
        if (line[len++] == '\n')
            break;
    }
    line[len] = '\0';
    return len > 0;
}

/* Comes back a second after the connection was lost, as often as it takes. */
static void
device_return(Device *device)
{
    if (atomic_load(&device->lost) == 0)
        return;
    (void)sleep(1);
    if (device_connect(device) == 0)
        atomic_store(&device->lost, 0);
}

int
main(void)
{
    Device device = {0};
    char line[LINE_MAX_BYTES], *words[WORDS_MAX];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int going;

    say("{\"event\": \"started\"}\n");
    going = read_line(line);
    split(line, words);
    if (!going || device_open(&device, words))
        return 1;
    while (going) {
        device_return(&device);
        if (poll(&input, 1, 100) == 0)
            continue;
        going = read_line(line);
        split(line, words);
        going = going && device_do(&device, words);
    }
    (void)MQTTClient_disconnect(device.client, 1000);
    MQTTClient_destroy(&device.client);
    return 0;
}
