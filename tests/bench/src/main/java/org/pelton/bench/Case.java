package org.pelton.bench;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/**
 * One job that is measured.
 *
 * @param work what it does with a record
 * @param reuse whether Flink hands the same objects from operator to operator, or copies
 * @param parallelism subtasks, each on a processor of its own
 */
record Case(Work work, boolean reuse, int parallelism) {

  /** What happens between the number sequence and the black hole. */
  enum Work {
    ECHO("UDTF returning its arguments"),
    PELTON_1("Pelton, version 1"),
    PELTON_2("Pelton, version 2"),
    ONNX_1("ONNX Runtime in a UDTF, version 1's model"),
    ONNX_2("ONNX Runtime in a UDTF, version 2's model"),
    ML_PREDICT_2("Pelton through ML_PREDICT, version 2"),
    LOOKUP_PELTON("lookup join with a dimension"),
    LOOKUP_HASH_MAP("lookup join with a HashMap"),
    LOOKUP_REFRESHED("lookup join with a dimension that is renewed");

    final String title;

    Work(String title) {
      this.title = title;
    }
  }

  /** The cases of decisions, in the order of the report. */
  static List<Case> decisions() {
    List<Case> cases = new ArrayList<>();
    for (Work work : EnumSet.range(Work.ECHO, Work.ML_PREDICT_2)) {
      cases.add(new Case(work, true, 1));
      cases.add(new Case(work, false, 1));
    }
    cases.add(new Case(Work.PELTON_2, true, 2));
    return cases;
  }

  /** {@code PELTON_2 reuse 1}, what {@link #parse} reads. */
  String name() {
    return work + " " + (reuse ? "reuse" : "copies") + " " + parallelism;
  }

  static Case parse(String work, String objects, String parallelism) {
    return new Case(Work.valueOf(work), objects.equals("reuse"), Integer.parseInt(parallelism));
  }

  String title() {
    return String.format(
        "%s, object reuse %s%s",
        work.title, reuse ? "on" : "off", parallelism == 1 ? "" : ", parallelism " + parallelism);
  }
}
