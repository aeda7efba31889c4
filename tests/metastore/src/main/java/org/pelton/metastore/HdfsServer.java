package org.pelton.metastore;

import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** HDFS with one DataNode, which ends with its input. It prints {@code listening PORT}. */
public final class HdfsServer {

  private HdfsServer() {}

  public static void main(String[] arguments) throws Exception {
    Configuration configuration = new Configuration();
    configuration.set("hdfs.minidfs.basedir", Path.of(arguments[0]).toString());
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
      cluster.waitActive();
      System.out.println("listening " + cluster.getNameNodePort());
      while (System.in.read() >= 0) {
        // What is said has no meaning.
      }
    }
    System.exit(0);
  }
}
