package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.flink.api.common.io.GenericInputFormat;
import org.apache.flink.api.common.io.NonParallelInput;
import org.apache.flink.core.io.GenericInputSplit;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.runtime.metrics.groups.InternalCacheMetricGroup;
import org.apache.flink.table.connector.source.lookup.cache.trigger.CacheReloadTrigger;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.runtime.functions.table.lookup.fullcache.LookupFullCache;
import org.apache.flink.table.runtime.functions.table.lookup.fullcache.inputformat.InputFormatCacheLoader;
import org.apache.flink.table.runtime.generated.GeneratedProjection;
import org.apache.flink.table.runtime.generated.Projection;
import org.apache.flink.table.runtime.keyselector.GenericRowDataKeySelector;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;

/**
 * Flink's own {@code 'lookup.cache' = 'FULL'}: its cache, its loader, its serializers, put together
 * as its planner does for a connector that scans an {@code InputFormat}.
 */
final class FullCache {

  private FullCache() {}

  /** A cache with all rows of a file of {@link TableRows}. */
  static LookupFullCache load(Path file) throws IOException {
    LookupFullCache cache = new LookupFullCache(loader(file), new Once());
    cache.setUserCodeClassLoader(FullCache.class.getClassLoader());
    cache.open(new InternalCacheMetricGroup(new UnregisteredMetricsGroup(), "cache"));
    return cache;
  }

  private static InputFormatCacheLoader loader(Path file) throws IOException {
    try (TableRows rows = new TableRows(file)) {
      GenericRowDataKeySelector keys =
          new GenericRowDataKeySelector(
              InternalTypeInfo.of(rows.keyType()),
              new RowDataSerializer(rows.keyType()),
              new KeyProjection(rows.key(), rows.getters()));
      RowDataSerializer copies = new RowDataSerializer(rows.type());
      return new InputFormatCacheLoader(new Rows(file.toString()), keys, copies);
    }
  }

  /** Loads when it is opened, and never again. */
  private static final class Once implements CacheReloadTrigger {

    private static final long serialVersionUID = 1L;

    @Override
    public void open(Context context) {
      context.triggerReload();
    }

    @Override
    public void close() {}
  }

  /** The rows as a connector hands them over: objects in a row that is used again. */
  private static final class Rows extends GenericInputFormat<RowData> implements NonParallelInput {

    private static final long serialVersionUID = 1L;

    private final String file;
    private transient TableRows rows;
    private transient RowData.FieldGetter[] getters;
    private transient GenericRowData record;
    private transient BinaryRowData next;

    Rows(String file) {
      this.file = file;
    }

    @Override
    public void open(GenericInputSplit split) throws IOException {
      rows = new TableRows(Path.of(file));
      getters = rows.getters();
      record = new GenericRowData(getters.length);
      next = rows.next();
    }

    @Override
    public boolean reachedEnd() {
      return next == null;
    }

    @Override
    public RowData nextRecord(RowData reuse) throws IOException {
      for (int i = 0; i < getters.length; i++) {
        record.setField(i, getters[i].getFieldOrNull(next));
      }
      next = rows.next();
      return record;
    }

    @Override
    public void close() throws IOException {
      rows.close();
    }
  }

  /** What the planner would generate. */
  private static final class KeyProjection extends GeneratedProjection {

    private static final long serialVersionUID = 1L;

    private final int[] key;
    private final RowData.FieldGetter[] getters;

    KeyProjection(int[] key, RowData.FieldGetter[] getters) {
      super("", "", new Object[0]);
      this.key = key;
      this.getters = getters;
    }

    @Override
    public Projection<RowData, RowData> newInstance(ClassLoader loader) {
      return row -> TableRows.project(row, key, getters);
    }
  }
}
