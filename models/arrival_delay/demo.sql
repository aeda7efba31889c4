-- Decides every flight of December 2013 at departure: will it arrive late, and what to do about it.
-- Paths are relative to the repository's root.

SET 'parallelism.default' = '1';            -- one core, and the rows keep their order
SET 'pipeline.object-reuse' = 'true';

CREATE FUNCTION predict AS 'org.pelton.flink.PredictFunction';

CREATE TABLE flights (
  carrier    STRING,
  flight     INT,
  tailnum    STRING,
  origin     STRING,
  dest       STRING,
  sched_dep  TIMESTAMP(3),
  local_hour INT,
  dep_delay  DOUBLE,
  distance   INT,
  arr_delay  DOUBLE
) WITH (
  'connector' = 'filesystem',
  'path' = 'models/flights/2013-12.csv',
  'format' = 'csv',
  'csv.null-literal' = ''
);

-- What was decided on, what was decided, and by what: enough to decide it again (pelton run --pin).
CREATE TABLE decided (
  carrier       STRING,
  flight        INT,
  tailnum       STRING,
  origin        STRING,
  dest          STRING,
  sched_dep     TIMESTAMP(3),
  local_hour    INT,
  dep_delay     DOUBLE,
  distance      INT,
  p_late        FLOAT,
  risk          FLOAT,
  action        STRING,
  fired_rule    STRING,
  model_version BIGINT,
  partitions    MAP<STRING, STRING>
) WITH (
  'connector' = 'filesystem',
  'path' = 'target/demo/decided',
  'format' = 'json'
);

INSERT INTO decided
SELECT carrier, flight, tailnum, origin, dest, sched_dep, local_hour, dep_delay, distance,
  p_late, risk, action, fired_rule, model_version, partitions
FROM flights,
  LATERAL TABLE(predict('target/demo/metadata/decisions/arrival_delay',
    carrier, tailnum, origin, dest, sched_dep, local_hour, dep_delay, distance));
