package org.pelton.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.LookupFunction;
import org.apache.flink.table.runtime.typeutils.RowDataSerializer;
import org.apache.flink.table.types.logical.RowType;

/**
 * {@code 'connector' = 'hash-map', 'file' = '...'}: a lookup join as people write it themselves, a
 * {@code HashMap} from the key to the table's columns as objects, which costs least to read. The
 * rows are those of {@link TableRows}, the key is its BIGINT {@code id}.
 */
public final class HashMapTableFactory implements DynamicTableSourceFactory {

  private static final ConfigOption<String> FILE =
      ConfigOptions.key("file").stringType().noDefaultValue();

  @Override
  public String factoryIdentifier() {
    return "hash-map";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(FILE);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    RowType type = (RowType) context.getPhysicalRowDataType().getLogicalType();
    return new Source(helper.getOptions().get(FILE), type);
  }

  private record Source(String file, RowType type) implements LookupTableSource {

    @Override
    public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
      return LookupFunctionProvider.of(new Lookup(file, type));
    }

    @Override
    public DynamicTableSource copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return "hash-map";
    }
  }

  /** Looks keys up in the map. */
  public static final class Lookup extends LookupFunction {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final RowType type;
    private transient Map<Long, Collection<RowData>> rows;

    Lookup(String file, RowType type) {
      this.file = file;
      this.type = type;
    }

    @Override
    public void open(FunctionContext context) throws IOException {
      rows = new HashMap<>();
      try (TableRows table = new TableRows(Path.of(file))) {
        RowData.FieldGetter[] getters = table.getters();
        int[] held = type.getFieldNames().stream().mapToInt(table.type()::getFieldIndex).toArray();
        RowDataSerializer serializer = new RowDataSerializer(type);
        int id = table.type().getFieldIndex("id");
        for (BinaryRowData row = table.next(); row != null; row = table.next()) {
          RowData projected = TableRows.project(row, held, getters);
          rows.put(row.getLong(id), List.of(serializer.copy(projected)));
        }
      }
    }

    @Override
    public Collection<RowData> lookup(RowData key) {
      return rows.getOrDefault(key.getLong(0), List.of());
    }
  }
}
