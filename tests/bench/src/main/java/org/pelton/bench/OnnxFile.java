package org.pelton.bench;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts off what exporters put behind a classifier's probabilities: ZipMap, whose maps ONNX Runtime
 * would build anew for every record, and the label. What is left is the fastest form of the model:
 * {@code x [n, k] -> probabilities [n, 2]}.
 *
 * <p>An ONNX file is a protobuf message; only its outermost levels are taken apart.
 */
final class OnnxFile {

  private static final int MODEL_GRAPH = 7;
  private static final int GRAPH_NODE = 1;
  private static final int GRAPH_OUTPUT = 12;
  private static final int NODE_INPUT = 1;
  private static final int NODE_OPERATOR = 4;
  private static final int VALUE_NAME = 1;

  /** Protobuf's type of a field whose length stands before it. */
  private static final int BYTES = 2;

  /**
   * The whole field with its tag, and what it holds; nothing for other types than {@link #BYTES}.
   */
  private record Field(int number, byte[] whole, byte[] value) {
    String text() {
      return new String(value, StandardCharsets.UTF_8);
    }
  }

  private OnnxFile() {}

  static byte[] onlyProbabilities(byte[] model) {
    ByteArrayOutputStream to = new ByteArrayOutputStream();
    for (Field field : fields(model)) {
      if (field.number == MODEL_GRAPH) {
        write(to, MODEL_GRAPH, cutGraph(field.value));
      } else {
        to.writeBytes(field.whole);
      }
    }
    return to.toByteArray();
  }

  private static byte[] cutGraph(byte[] graph) {
    ByteArrayOutputStream to = new ByteArrayOutputStream();
    String probabilities = null;
    for (Field field : fields(graph)) {
      List<Field> node = field.number == GRAPH_NODE ? fields(field.value) : List.of();
      String operator = node.isEmpty() ? "" : first(node, NODE_OPERATOR);
      if (operator.equals("ZipMap")) {
        probabilities = first(node, NODE_INPUT);
      } else if (!operator.equals("Cast") && field.number != GRAPH_OUTPUT) {
        to.writeBytes(field.whole);
      }
    }
    if (probabilities == null) {
      throw new IllegalArgumentException("the model has no ZipMap");
    }
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    write(output, VALUE_NAME, probabilities.getBytes(StandardCharsets.UTF_8));
    write(to, GRAPH_OUTPUT, output.toByteArray());
    return to.toByteArray();
  }

  private static String first(List<Field> fields, int number) {
    return fields.stream().filter(field -> field.number == number).findFirst().orElseThrow().text();
  }

  private static List<Field> fields(byte[] message) {
    List<Field> fields = new ArrayList<>();
    ByteBuffer from = ByteBuffer.wrap(message);
    while (from.hasRemaining()) {
      int start = from.position();
      long tag = readVarint(from);
      byte[] value = {};
      switch ((int) tag & 7) {
        case 0 -> readVarint(from);
        case 1 -> from.getLong();
        case BYTES -> {
          value = new byte[(int) readVarint(from)];
          from.get(value);
        }
        case 5 -> from.getInt();
        default -> throw new IllegalArgumentException("not a protobuf message");
      }
      byte[] whole = new byte[from.position() - start];
      from.get(start, whole);
      fields.add(new Field((int) (tag >>> 3), whole, value));
    }
    return fields;
  }

  private static long readVarint(ByteBuffer from) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = from.get();
      value |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static void write(ByteArrayOutputStream to, int number, byte[] value) {
    writeVarint(to, number << 3 | BYTES);
    writeVarint(to, value.length);
    to.writeBytes(value);
  }

  private static void writeVarint(ByteArrayOutputStream to, int value) {
    for (; value >= 0x80; value >>>= 7) {
      to.write(value & 0x7F | 0x80);
    }
    to.write(value);
  }
}
