package org.pelton.cluster;

import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.types.Row;

/** The key that {@link PartitionCustomClusterTest} sends by; a class that a job can take along. */
public final class NumberOf implements KeySelector<Row, Row> {

  private static final long serialVersionUID = 1L;

  @Override
  public Row getKey(Row row) {
    return Row.of(row.getField("n"));
  }
}
