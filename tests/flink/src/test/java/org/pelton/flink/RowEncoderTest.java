package org.pelton.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The encoder's bytes are those of Flink's own serializer. */
class RowEncoderTest {

  /** Smaller than any row, so that the buffer has to grow on the way. */
  private ByteBuffer buffer = ByteBuffer.allocateDirect(0);

  static Stream<GoldenRows.Schema> schemas() {
    return GoldenRows.schemas();
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void bytesAreThoseOfFlinksSerializer(GoldenRows.Schema schema) {
    RowType type = schema.rowType();
    RowEncoder encoder = new RowEncoder(type, buffer, this::grow);
    RowDataSerializer serializer = new RowDataSerializer(type);
    for (RowData row : GoldenRows.rows(type, schema.randomRows())) {
      BinaryRowData expected = serializer.toBinaryRow(row);
      assertThat(encode(encoder, row)).as("%s", row).isEqualTo(bytes(expected));
      assertThat(encode(encoder, expected)).as("from bytes").isEqualTo(bytes(expected));
    }
  }

  private ByteBuffer grow(long needed) {
    ByteBuffer larger = ByteBuffer.allocateDirect((int) needed).order(ByteOrder.LITTLE_ENDIAN);
    larger.put(buffer.duplicate().clear());
    while (larger.hasRemaining()) {
      larger.put((byte) 0xA5); // what another row may have left behind
    }
    buffer = larger.clear();
    return buffer;
  }

  private byte[] encode(RowEncoder encoder, RowData row) {
    byte[] bytes = new byte[encoder.encode(row)];
    buffer.get(0, bytes);
    return bytes;
  }

  private static byte[] bytes(BinaryRowData row) {
    byte[] bytes = new byte[row.getSizeInBytes()];
    row.getSegments()[0].get(row.getOffset(), bytes);
    return bytes;
  }
}
