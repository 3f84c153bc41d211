// SPDX-License-Identifier: LGPL-2.1-or-later
// A service on Java's own HttpClient and WebSocket: reads and prints what service.py does; with the argument "body" what
// body.py does.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public final class Service {
    private static final int BIGGEST = 65536;
    private static final int PATIENCE = 60;

    private static final class Echo implements WebSocket.Listener {
        private final MessageDigest digest;
        private long total;
        private int biggest;
        private int message;
        private boolean ended;

        Echo() throws Exception {
            digest = MessageDigest.getInstance("SHA-256");
        }

        @Override
        public synchronized CompletionStage<?> onBinary(WebSocket leg, ByteBuffer data, boolean last) {
            total += data.remaining();
            message += data.remaining();
            biggest = Math.max(biggest, message);
            message = last ? 0 : message;
            digest.update(data);
            notifyAll();
            leg.request(1);
            return null;
        }

        @Override
        public synchronized CompletionStage<?> onClose(WebSocket leg, int code, String reason) {
            ended = true;
            notifyAll();
            return null;
        }

        @Override
        public synchronized void onError(WebSocket leg, Throwable error) {
            ended = true;
            notifyAll();
        }

        synchronized void await(long wanted) throws InterruptedException {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE);
            while (total < wanted && !ended && System.nanoTime() < deadline) {
                wait(100);
            }
        }
    }

    private static SSLContext trust(String ca) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream file = new FileInputStream(ca)) {
            store.setCertificateEntry("hub", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    private static String quote(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static void send(WebSocket leg, MessageDigest digest, int size) throws Exception {
        byte[] data = new byte[size];
        new Random().nextBytes(data);
        digest.update(data);
        leg.sendBinary(ByteBuffer.wrap(data), true).get(PATIENCE, TimeUnit.SECONDS);
    }

    private static String carry(HttpClient client, String url, String token, long total, double idle) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        Echo echo = new Echo();
        WebSocket leg = client.newWebSocketBuilder().header("Authorization", "Bearer " + token)
            .buildAsync(URI.create(url), echo).get(PATIENCE, TimeUnit.SECONDS);
        long sent = 0;
        for (; sent < total; sent += BIGGEST) {
            send(leg, digest, BIGGEST);
        }
        echo.await(sent);
        Thread.sleep((long) (idle * 1000));
        send(leg, digest, 64);
        echo.await(sent + 64);
        leg.sendClose(WebSocket.NORMAL_CLOSURE, "").get(PATIENCE, TimeUnit.SECONDS);
        HexFormat hex = HexFormat.of();
        synchronized (echo) {
            return String.format("{\"sent\": \"%s\", \"echoed\": \"%s\", \"total\": %d, \"biggest\": %d}",
                hex.formatHex(digest.digest()), hex.formatHex(echo.digest.digest()), echo.total, echo.biggest);
        }
    }

    private static String ask(HttpClient client, String[] hub, String[] words) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(String.format(
            "https://%s:%s/twins/%s/streams/%s?api-version=2020-05-31-preview", hub[0], hub[1], words[1], words[2])))
            .header("Authorization", words[0]).POST(HttpRequest.BodyPublishers.noBody()).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        String headers = answer.headers().map().entrySet().stream().filter(one -> !one.getKey().startsWith(":"))
            .map(one -> quote(one.getKey().toLowerCase()) + ": " + quote(one.getValue().get(0)))
            .collect(Collectors.joining(", "));
        String echo = "";
        if (answer.headers().firstValue("iothub-streaming-is-accepted").orElse("").equals("True")) {
            echo = ", \"echo\": " + carry(client, answer.headers().firstValue("iothub-streaming-url").get(),
                answer.headers().firstValue("iothub-streaming-auth-token").get(), Long.parseLong(words[3]),
                Double.parseDouble(words[4]));
        }
        return String.format("{\"status\": %d, \"headers\": {%s}, \"body\": %s%s}", answer.statusCode(), headers,
            quote(answer.body()), echo);
    }

    private static String patch(HttpClient client, String[] hub, String[] words) throws Exception {
        byte[] body = words[2].getBytes(StandardCharsets.UTF_8);
        HttpRequest request = HttpRequest.newBuilder(URI.create(String.format("https://%s:%s%s", hub[0], hub[1], words[1])))
            .header("Authorization", words[0]).header("Content-Type", "application/json")
            .method("PATCH", HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        return String.format("{\"status\": %d, \"body\": %s}", answer.statusCode(), quote(answer.body()));
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        String[] hub = input.readLine().split("\t");
        HttpClient client = HttpClient.newBuilder().sslContext(trust(hub[2])).build();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split("\t");
            System.out.println(arguments.length > 0 ? patch(client, hub, words) : ask(client, hub, words));
        }
        System.exit(0);
    }
}
