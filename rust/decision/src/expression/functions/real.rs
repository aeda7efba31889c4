//! Functions of real numbers: POWER SQRT LN LOG, trigonometry, PI, E. All are DOUBLEs, and NaN or
//! infinite where Java's are. They are computed by the same code on every CPU.

use pelton_data::DataType;
use pelton_data::columns::Literal;
use pelton_data::report::Diagnostic;

use super::super::program::Kernel;
use super::super::typing::Typed;
use super::cast::cast;
use super::kernel::{map1, map2};
use super::{Args, Function, function};

macro_rules! of_one {
    ($name:literal, $f:expr) => {
        function($name, concat!($name, "(number)"), |args| {
            apply(args, 1, |frame, call| map1(frame, call, $f))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    function("POWER", "POWER(number, number)", |args| {
        apply(args, 2, |frame, call| map2(frame, call, power))
    }),
    of_one!("SQRT", |x| power(x, 0.5)),
    of_one!("LN", libm::log),
    function(
        "LOG",
        "LOG(number) or LOG(base, number)",
        |args| match args.values.len() {
            1 => apply(args, 1, |frame, call| map1(frame, call, libm::log)),
            _ => apply(args, 2, |frame, call| {
                map2(frame, call, |base, x| libm::log(x) / libm::log(base))
            }),
        },
    ),
    of_one!("LOG2", |x| libm::log(x) / std::f64::consts::LN_2),
    of_one!("LOG10", libm::log10),
    of_one!("SIN", libm::sin),
    of_one!("COS", libm::cos),
    of_one!("TAN", libm::tan),
    of_one!("COT", |x| 1.0 / libm::tan(x)),
    of_one!("ASIN", libm::asin),
    of_one!("ACOS", libm::acos),
    of_one!("ATAN", libm::atan),
    function("ATAN2", "ATAN2(y, x)", |args| {
        apply(args, 2, |frame, call| map2(frame, call, libm::atan2))
    }),
    of_one!("SINH", libm::sinh),
    of_one!("COSH", libm::cosh),
    of_one!("TANH", libm::tanh),
    of_one!("DEGREES", |x: f64| x * 57.295_779_513_082_32),
    of_one!("RADIANS", |x: f64| x * 0.017_453_292_519_943_295),
    function("PI", "PI()", |args| constant(args, std::f64::consts::PI)),
    function("E", "E()", |args| constant(args, std::f64::consts::E)),
];

fn apply(args: Args<'_>, count: usize, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let values = match count {
        1 => args.exactly::<1>()?.to_vec(),
        _ => args.exactly::<2>()?.to_vec(),
    };
    let doubles = values
        .into_iter()
        .map(|value| match value.data_type.is_numeric() {
            true => cast(value, &DataType::Double),
            false => Err(mismatch.clone()),
        });
    let doubles = doubles.collect::<Result<_, _>>()?;
    Ok(Typed::call(DataType::Double, span, kernel, doubles))
}

/// Java's: where C says 1 of `1^NaN` and `(-1)^infinity`, it is NaN.
fn power(x: f64, y: f64) -> f64 {
    if y.is_nan() || y.is_infinite() && x.abs() == 1.0 {
        return f64::NAN;
    }
    libm::pow(x, y)
}

fn constant(args: Args<'_>, value: f64) -> Result<Typed, Diagnostic> {
    match args.values.is_empty() {
        true => Ok(Typed::literal(
            DataType::Double,
            args.span,
            Literal::F64(value),
        )),
        false => Err(args.mismatch()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn results_are_those_of_java() {
        let known = [
            ("POWER(i, 2)", "DOUBLE 49.0"),
            ("POWER(2, -1)", "DOUBLE 0.5"),
            ("POWER(1, nan)", "DOUBLE NaN"),
            ("POWER(nan, 0)", "DOUBLE 1.0"),
            ("SQRT(-0.0)", "DOUBLE 0.0"),
            ("SQRT(2)", "DOUBLE 1.4142135623730951"),
            ("SQRT(-1e308 * 10)", "DOUBLE inf"),
            ("LN(0e0)", "DOUBLE -inf"),
            ("LN(-1)", "DOUBLE NaN"),
            ("LOG(2, 8)", "DOUBLE 3.0"),
            ("LOG2(8)", "DOUBLE 3.0"),
            ("LOG10(1000)", "DOUBLE 3.0"),
            ("COT(0)", "DOUBLE inf"),
            ("ATAN2(0, -1)", "DOUBLE 3.141592653589793"),
            ("DEGREES(PI())", "DOUBLE 180.0"),
            ("RADIANS(180)", "DOUBLE 3.141592653589793"),
            ("E()", "DOUBLE 2.718281828459045"),
            ("SIN(void)", "DOUBLE NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
        assert_eq!(typed("SIN(s)").unwrap_err(), "SIN does not take (STRING)");
        assert_eq!(typed("PI(1)").unwrap_err(), "PI does not take (INT)");
    }

    #[test]
    fn they_are_near_to_those_of_the_platform() {
        type Pair = (fn(f64) -> f64, fn(f64) -> f64);
        let pairs: [Pair; 9] = [
            (libm::log, f64::ln),
            (libm::log10, f64::log10),
            (libm::sin, f64::sin),
            (libm::cos, f64::cos),
            (libm::atan, f64::atan),
            (libm::asin, f64::asin),
            (libm::acos, f64::acos),
            (libm::cosh, f64::cosh),
            (libm::tanh, f64::tanh),
        ];
        for step in 1..2000 {
            let x = f64::from(step) * 4.97e-4;
            for (at, (ours, theirs)) in pairs.iter().enumerate() {
                let apart = ours(x).to_bits().abs_diff(theirs(x).to_bits());
                assert!(apart <= 2, "function {at} of {x}");
            }
        }
    }
}
