package org.pelton.flink;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.pelton.TestDecisions;
import org.pelton.TestDimensions;
import org.pelton.metrics.PeltonMetrics;

/** Tests that each begin with an empty metadata directory and no metrics. */
abstract class MetadataTests {

  @TempDir Path directory;

  TestDecisions decisions;
  TestDimensions dimensions;

  @BeforeEach
  void begin() {
    Path metadata = directory.resolve("metadata");
    decisions = new TestDecisions(metadata);
    dimensions = new TestDimensions(metadata);
    PeltonMetrics.forget();
  }
}
