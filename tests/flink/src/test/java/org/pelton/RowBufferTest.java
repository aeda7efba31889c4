package org.pelton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RowBufferTest {

  private final RowBuffer buffer = new RowBuffer("`d`: the input");

  @Test
  void keepsItsBytesWhenItGrows() {
    buffer.bytes().putLong(0, 42).put(4095, (byte) 7);
    buffer.grow(250_000);
    assertThat(buffer.bytes().capacity()).isEqualTo(250_000);
    assertThat(buffer.bytes().getLong(0)).isEqualTo(42);
    assertThat(buffer.bytes().get(4095)).isEqualTo((byte) 7);
    buffer.grow(250_001);
    assertThat(buffer.bytes().capacity()).as("at least doubled").isEqualTo(500_000);
  }

  @Test
  void shrinksAfterOneLargeRowAmongSmallOnes() {
    buffer.grow(100_000_000);
    assertThat(usedUntilItShrinks(100)).isEqualTo(1024);
    assertThat(buffer.bytes().capacity()).isEqualTo(64 * 1024);
    buffer.grow(100_000_000);
    assertThat(usedUntilItShrinks(1_000_000)).isEqualTo(1024);
    assertThat(buffer.bytes().capacity()).isEqualTo(2_000_000);
  }

  @Test
  void doesNotSwingWhenLargeRowsComeNowAndThen() {
    buffer.grow(250_000);
    for (int row = 0; row < 100_000; row++) {
      assertThat(buffer.used(row % 500 == 0 ? 250_000 : 100)).isFalse();
    }
  }

  @Test
  void aRowBeyond2GibibytesIsAnErrorThatNamesTheDecision() {
    assertThatThrownBy(() -> buffer.grow(Integer.MAX_VALUE + 1L))
        .hasMessage(
            "ROW_TOO_LARGE: `d`: the input is a row of 2147483648 bytes; the limit is 2 GiB");
  }

  private int usedUntilItShrinks(int length) {
    for (int rows = 1; ; rows++) {
      if (buffer.used(length)) {
        return rows;
      }
    }
  }
}
