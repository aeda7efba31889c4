package org.pelton.flink;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A Hive metastore that a test plays, over framed messages of Thrift's binary protocol: it knows
 * the table {@code flights.planes} with one level {@code dt}. Real ones are asked by {@code make
 * test-metastore}.
 */
final class PlayedMetastore implements AutoCloseable {

  private static final int REPLY = 0x8001_0002;
  private static final int STRING = 11;
  private static final int STRUCT = 12;
  private static final int LIST = 15;
  private static final String PARQUET =
      "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";

  private final ServerSocket server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
  private final String location;
  private final String date;

  /**
   * @param location where the one Hive partition lies, as Hadoop writes it
   */
  PlayedMetastore(String location, String date) throws IOException {
    this.location = location;
    this.date = date;
    start(this::accept);
  }

  String uri() {
    return "thrift://localhost:" + server.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "metastore");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        start(() -> answer(client));
      }
    } catch (IOException e) {
      // It was closed.
    }
  }

  /** All questions of a client, until it goes. */
  private void answer(Socket client) {
    try (client) {
      DataInputStream in = new DataInputStream(client.getInputStream());
      DataOutputStream out = new DataOutputStream(client.getOutputStream());
      while (true) {
        byte[] question = in.readNBytes(in.readInt());
        byte[] answer = answer(question);
        out.writeInt(answer.length);
        out.write(answer);
      }
    } catch (EOFException e) {
      // It has asked all.
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private byte[] answer(byte[] question) throws IOException {
    String text = new String(question, StandardCharsets.ISO_8859_1);
    if (!text.contains("flights") || !text.contains("planes")) {
      throw new AssertionError("it is asked for another table: " + text);
    }
    int nameLength = question[7];
    String method = text.substring(8, 8 + nameLength);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(REPLY);
    string(out, method);
    out.write(question, 8 + nameLength, 4);
    switch (method) {
      case "get_table_req" -> {
        field(out, STRUCT, 0);
        field(out, STRUCT, 1);
        table(out);
        out.writeByte(0);
      }
      case "get_partition_names" -> {
        list(out, 0, STRING, 1);
        string(out, "dt=" + date);
      }
      case "get_partitions_by_names" -> {
        list(out, 0, STRUCT, 1);
        list(out, 1, STRING, 1);
        string(out, date);
        descriptor(out, 6, location);
        out.writeByte(0);
      }
      default -> throw new AssertionError(method);
    }
    out.writeByte(0);
    return bytes.toByteArray();
  }

  private static void table(DataOutputStream out) throws IOException {
    descriptor(out, 7, "file:/not/asked/for");
    list(out, 8, STRUCT, 1);
    for (String part : List.of("dt", "date")) {
      field(out, STRING, part.equals("dt") ? 1 : 2);
      string(out, part);
    }
    out.writeByte(0);
    field(out, STRING, 12);
    string(out, "EXTERNAL_TABLE");
    out.writeByte(0);
  }

  private static void descriptor(DataOutputStream out, int id, String location) throws IOException {
    field(out, STRUCT, id);
    field(out, STRING, 2);
    string(out, location);
    field(out, STRING, 3);
    string(out, PARQUET);
    out.writeByte(0);
  }

  private static void field(DataOutputStream out, int type, int id) throws IOException {
    out.writeByte(type);
    out.writeShort(id);
  }

  private static void list(DataOutputStream out, int id, int type, int size) throws IOException {
    field(out, LIST, id);
    out.writeByte(type);
    out.writeInt(size);
  }

  private static void string(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }
}
