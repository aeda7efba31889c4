//! HDFS, where the crate is built with its feature `hdfs`.

use std::sync::Arc;

use object_store::ObjectStore;
use tokio::runtime::Handle;

/// How often a NameNode that does not answer is asked again, about 15 s in all. Hadoop's own 15 times
/// are three minutes, for which a refresh would say nothing.
#[cfg(feature = "hdfs")]
const ATTEMPTS: (&str, &str) = ("dfs.client.failover.max.attempts", "5");

/// A client of a NameNode. What is not in its name is taken from Hadoop's own configuration
/// (`HADOOP_CONF_DIR`); its tasks run while the runtime does.
#[cfg(feature = "hdfs")]
pub(super) fn open(
    name_node: &str,
    runtime: &Handle,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let builder = hdfs_native_object_store::HdfsObjectStoreBuilder::new();
    let mut builder = builder.with_io_runtime(runtime.clone());
    builder = builder.with_config([ATTEMPTS]);
    if !name_node.is_empty() {
        builder = builder.with_url(format!("hdfs://{name_node}"));
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(not(feature = "hdfs"))]
pub(super) fn open(_: &str, _: &Handle) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    unreachable!("`Location::parse` refuses hdfs: without the feature")
}
