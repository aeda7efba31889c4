package org.pelton.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A classifier in ONNX Runtime, prepared for one row at a time: one thread, and an input and an
 * output tensor over direct buffers that every run uses again.
 */
final class OnnxModel implements AutoCloseable {

  private static final int CLASSES = 2;

  private final OrtSession session;
  private final ByteBuffer x;
  private final ByteBuffer probabilities;
  private final OnnxTensor input;
  private final OnnxTensor output;
  private final Map<String, OnnxTensor> inputs;
  private final Map<String, OnnxTensor> outputs;

  OnnxModel(Path file) throws OrtException, IOException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      byte[] model = OnnxFile.onlyProbabilities(Files.readAllBytes(file));
      session = environment.createSession(model, options);
    }
    String name = session.getInputNames().iterator().next();
    TensorInfo info = (TensorInfo) session.getInputInfo().get(name).getInfo();
    int columns = (int) info.getShape()[1];
    x = direct(columns);
    probabilities = direct(CLASSES);
    input = OnnxTensor.createTensor(environment, x.asFloatBuffer(), new long[] {1, columns});
    output =
        OnnxTensor.createTensor(
            environment, probabilities.asFloatBuffer(), new long[] {1, CLASSES});
    inputs = Map.of(name, input);
    outputs = Map.of(session.getOutputNames().iterator().next(), output);
  }

  /** The probability of class 1; `row` holds the input's floats in the machine's byte order. */
  float run(byte[] row) throws OrtException {
    x.put(0, row);
    session.run(inputs, outputs).close();
    return probabilities.getFloat(Float.BYTES);
  }

  @Override
  public void close() throws OrtException {
    input.close();
    output.close();
    session.close();
  }

  private static ByteBuffer direct(int floats) {
    return ByteBuffer.allocateDirect(floats * Float.BYTES).order(ByteOrder.nativeOrder());
  }
}
