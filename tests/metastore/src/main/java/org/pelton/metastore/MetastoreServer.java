package org.pelton.metastore;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hive.metastore.HiveMetaStore;
import org.apache.hadoop.hive.metastore.HiveMetaStoreClient;
import org.apache.hadoop.hive.metastore.api.Database;
import org.apache.hadoop.hive.metastore.api.FieldSchema;
import org.apache.hadoop.hive.metastore.api.Partition;
import org.apache.hadoop.hive.metastore.api.SerDeInfo;
import org.apache.hadoop.hive.metastore.api.StorageDescriptor;
import org.apache.hadoop.hive.metastore.api.Table;
import org.apache.hadoop.hive.metastore.conf.MetastoreConf;
import org.apache.hadoop.hive.metastore.conf.MetastoreConf.ConfVars;
import org.apache.hadoop.hive.metastore.security.HadoopThriftAuthBridge;

/**
 * Hive's metastore over an embedded Derby, which ends with its input. It prints {@code listening
 * PORT}; then it does what each line says (words with tabs between them) by Hive's own client, and
 * prints {@code done}.
 */
public final class MetastoreServer {

  private static final String DATABASE = "flights";
  private static final String PACKAGE = "org.apache.hadoop.hive.ql.io.";

  private final HiveMetaStoreClient client;

  private MetastoreServer(HiveMetaStoreClient client) {
    this.client = client;
  }

  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(arguments[0]);
    int port = freePort();
    Configuration configuration = configuration(home, port);
    Thread server =
        new Thread(
            () -> {
              try {
                HiveMetaStore.startMetaStore(
                    port, HadoopThriftAuthBridge.getBridge(), configuration);
              } catch (Throwable e) {
                e.printStackTrace();
                System.exit(1);
              }
            });
    server.setDaemon(true);
    server.start();
    MetastoreServer commands = new MetastoreServer(connect(configuration));
    System.out.println("listening " + port);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      commands.run(line.split("\t", -1));
      System.out.println("done");
    }
    System.exit(0);
  }

  private static Configuration configuration(Path home, int port) {
    System.setProperty("derby.system.home", home.toString());
    Configuration configuration = MetastoreConf.newMetastoreConf();
    MetastoreConf.setVar(
        configuration,
        ConfVars.CONNECT_URL_KEY,
        "jdbc:derby:;databaseName=" + home.resolve("metastore") + ";create=true");
    MetastoreConf.setVar(configuration, ConfVars.WAREHOUSE, home.resolve("managed").toString());
    MetastoreConf.setVar(configuration, ConfVars.THRIFT_URIS, "thrift://127.0.0.1:" + port);
    MetastoreConf.setBoolVar(configuration, ConfVars.AUTO_CREATE_ALL, true);
    MetastoreConf.setBoolVar(configuration, ConfVars.SCHEMA_VERIFICATION, false);
    return configuration;
  }

  /** Waits until the metastore answers: the first time it makes its own tables. */
  private static HiveMetaStoreClient connect(Configuration configuration) throws Exception {
    for (int attempt = 0; ; attempt++) {
      try {
        HiveMetaStoreClient client = new HiveMetaStoreClient(configuration);
        client.getAllDatabases();
        return client;
      } catch (Exception notYet) {
        if (attempt == 120) {
          throw notYet;
        }
        Thread.sleep(500);
      }
    }
  }

  private void run(String[] words) throws Exception {
    switch (words[0]) {
      case "database":
        client.createDatabase(new Database(words[1], "", null, Map.of()));
        break;
      case "table":
        createTable(words[1], words[2], words[3], words[4]);
        break;
      case "partition":
        client.add_partition(partition(words));
        break;
      case "many":
        addMany(words[1], Integer.parseInt(words[2]));
        break;
      case "drop":
        client.dropPartition(DATABASE, words[1], List.of(words[2], words[3]), false);
        break;
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  /**
   * @param format parquet or orc
   * @param levels {@code name:type}, with commas between them
   */
  private void createTable(String name, String location, String format, String levels)
      throws Exception {
    Table table = new Table();
    table.setDbName(DATABASE);
    table.setTableName(name);
    table.setTableType("EXTERNAL_TABLE");
    table.setParameters(Map.of("EXTERNAL", "TRUE"));
    table.setSd(descriptor(location, format));
    List<FieldSchema> keys = new ArrayList<>();
    for (String level : levels.isEmpty() ? new String[0] : levels.split(",")) {
      keys.add(new FieldSchema(level.split(":")[0], level.split(":")[1], null));
    }
    table.setPartitionKeys(keys);
    client.createTable(table);
  }

  private static StorageDescriptor descriptor(String location, String format) {
    StorageDescriptor descriptor = new StorageDescriptor();
    descriptor.setCols(
        List.of(new FieldSchema("id", "bigint", null), new FieldSchema("seats", "int", null)));
    descriptor.setLocation(location);
    boolean parquet = format.equals("parquet");
    descriptor.setInputFormat(
        PACKAGE + (parquet ? "parquet.MapredParquetInputFormat" : "orc.OrcInputFormat"));
    descriptor.setOutputFormat(
        PACKAGE + (parquet ? "parquet.MapredParquetOutputFormat" : "orc.OrcOutputFormat"));
    String serde = parquet ? "parquet.serde.ParquetHiveSerDe" : "orc.OrcSerde";
    descriptor.setSerdeInfo(new SerDeInfo("serde", PACKAGE + serde, Map.of()));
    return descriptor;
  }

  /** Of a table, with the values of its levels, perhaps at a place of its own. */
  private Partition partition(String[] words) throws Exception {
    Table table = client.getTable(DATABASE, words[1]);
    Partition partition = new Partition();
    partition.setDbName(DATABASE);
    partition.setTableName(words[1]);
    partition.setValues(List.of(words[2], words[3]));
    partition.setSd(table.getSd().deepCopy());
    // Without one Hive makes it of the values.
    partition.getSd().setLocation(words.length > 4 ? words[4] : null);
    return partition;
  }

  private void addMany(String table, int count) throws Exception {
    List<Partition> partitions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      partitions.add(partition(new String[] {"", table, "2011-01-01", "city " + i}));
    }
    client.add_partitions(partitions);
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
