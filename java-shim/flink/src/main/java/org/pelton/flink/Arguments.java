package org.pelton.flink;

import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RawValueData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.types.RowKind;

/**
 * The arguments of one call of a function, in Flink's internal form, seen as a row. Unlike a {@code
 * GenericRowData} it takes them as they are: to copy them into an array that lives longer would
 * cost a barrier of the garbage collector each.
 */
final class Arguments implements RowData {

  private Object[] values;

  /** The row of these values, until the next call. */
  RowData of(Object[] values) {
    this.values = values;
    return this;
  }

  @Override
  public int getArity() {
    return values.length;
  }

  @Override
  public RowKind getRowKind() {
    return RowKind.INSERT;
  }

  @Override
  public void setRowKind(RowKind kind) {
    throw new UnsupportedOperationException("arguments have no kind");
  }

  @Override
  public boolean isNullAt(int position) {
    return values[position] == null;
  }

  @Override
  public boolean getBoolean(int position) {
    return (boolean) values[position];
  }

  @Override
  public byte getByte(int position) {
    return (byte) values[position];
  }

  @Override
  public short getShort(int position) {
    return (short) values[position];
  }

  @Override
  public int getInt(int position) {
    return (int) values[position];
  }

  @Override
  public long getLong(int position) {
    return (long) values[position];
  }

  @Override
  public float getFloat(int position) {
    return (float) values[position];
  }

  @Override
  public double getDouble(int position) {
    return (double) values[position];
  }

  @Override
  public StringData getString(int position) {
    return (StringData) values[position];
  }

  @Override
  public DecimalData getDecimal(int position, int precision, int scale) {
    return (DecimalData) values[position];
  }

  @Override
  public TimestampData getTimestamp(int position, int precision) {
    return (TimestampData) values[position];
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T> RawValueData<T> getRawValue(int position) {
    return (RawValueData<T>) values[position];
  }

  @Override
  public byte[] getBinary(int position) {
    return (byte[]) values[position];
  }

  @Override
  public ArrayData getArray(int position) {
    return (ArrayData) values[position];
  }

  @Override
  public MapData getMap(int position) {
    return (MapData) values[position];
  }

  @Override
  public RowData getRow(int position, int fields) {
    return (RowData) values[position];
  }
}
