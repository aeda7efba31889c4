package org.pelton.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;

/**
 * A table on the heap of a JVM of its own: {@code MemoryPeer FULL_CACHE|HASH_MAP FILE}. Writes the
 * bytes that stay on the heap after collections, the rows, and the bytes of their values.
 */
final class MemoryPeer {

  /** How the table is held. */
  enum Holder {
    FULL_CACHE("Flink's full lookup cache"),
    HASH_MAP("BinaryRowData in a HashMap");

    final String title;

    Holder(String title) {
      this.title = title;
    }
  }

  /** What a peer writes. */
  record Measured(long bytes, long rows, long valueBytes) {
    double bytesPerRow() {
      return (double) bytes / rows;
    }

    double valueBytesPerRow() {
      return (double) valueBytes / rows;
    }
  }

  /** References stay 4 bytes long, and a million rows of the widest peer fit twice. */
  private static final String HEAP = "-Xmx8g";

  private MemoryPeer() {}

  public static void main(String[] arguments) throws Exception {
    Holder holder = Holder.valueOf(arguments[0]);
    Path file = Path.of(arguments[1]);
    load(holder, file).close(); // the classes that it needs are no part of the table
    long before = liveHeap();
    AutoCloseable table = load(holder, file);
    long bytes = liveHeap() - before;
    Reference.reachabilityFence(table);
    try (TableRows rows = new TableRows(file)) {
      while (rows.next() != null) {}
      System.out.println(bytes + " " + rows.count() + " " + rows.valueBytes());
    }
    table.close();
  }

  /** Loads a table in a JVM of its own. */
  static Measured measure(Holder holder, Path file) throws IOException, InterruptedException {
    String written =
        Processes.outputOf(
            Processes.java(
                List.of(),
                List.of(HEAP),
                MemoryPeer.class,
                List.of(holder.name(), file.toString())));
    String[] numbers = written.strip().split(" ");
    return new Measured(
        Long.parseLong(numbers[0]), Long.parseLong(numbers[1]), Long.parseLong(numbers[2]));
  }

  private static AutoCloseable load(Holder holder, Path file) throws IOException {
    return switch (holder) {
      case FULL_CACHE -> FullCache.load(file);
      case HASH_MAP -> hashMap(file)::clear;
    };
  }

  /** As small as it gets: keys and rows without what they were read from. */
  private static Map<BinaryRowData, BinaryRowData> hashMap(Path file) throws IOException {
    Map<BinaryRowData, BinaryRowData> table = new HashMap<>();
    try (TableRows rows = new TableRows(file)) {
      RowDataSerializer keys = new RowDataSerializer(rows.keyType());
      RowData.FieldGetter[] getters = rows.getters();
      for (BinaryRowData row = rows.next(); row != null; row = rows.next()) {
        RowData key = TableRows.project(row, rows.key(), getters);
        table.put(keys.toBinaryRow(key).copy(), row);
      }
    }
    return table;
  }

  private static long liveHeap() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(100);
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
