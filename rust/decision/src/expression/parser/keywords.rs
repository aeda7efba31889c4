//! Functions with keywords between their arguments, and intervals.

use pelton_data::report::{Diagnostic, Span};

use super::super::ast::{Constant, Decimal, Expr, Kind, Unit};
use super::super::calendar;
use super::super::lexer::TokenKind;
use super::cursor::Parser;
use super::power;

impl Parser<'_> {
    /// `SUBSTRING(s FROM 2 FOR 3)` or with commas.
    pub(super) fn substring(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.open();
        let mut args = vec![self.expression(power::NONE)?];
        if self.take_symbol(",") {
            args.extend(self.arguments()?);
            return self.call(start, "SUBSTRING", args);
        }
        self.keyword_arguments(&mut args, &["FROM"], Some("FOR"))?;
        self.call(start, "SUBSTRING", args)
    }

    /// `POSITION('a' IN s)`, and `FROM 2`; before the IN stands no operator, as in Flink.
    pub(super) fn position(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.open();
        let mut args = vec![self.expression(power::SIGN)?];
        self.keyword_arguments(&mut args, &["IN"], Some("FROM"))?;
        self.call(start, "POSITION", args)
    }

    /// `OVERLAY(s PLACING 'x' FROM 2 FOR 3)`
    pub(super) fn overlay(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.open();
        let mut args = vec![self.expression(power::NONE)?];
        self.keyword_arguments(&mut args, &["PLACING", "FROM"], Some("FOR"))?;
        self.call(start, "OVERLAY", args)
    }

    /// `TRIM(s)`, `TRIM(LEADING FROM s)`, `TRIM(BOTH 'x' FROM s)`, `TRIM('x' FROM s)`
    pub(super) fn trim(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.open();
        let sides = ["BOTH", "LEADING", "TRAILING"];
        let side = sides.into_iter().find(|side| self.take_word(side));
        let name = format!("TRIM {}", side.unwrap_or("BOTH"));
        let mut args = Vec::new();
        if side.is_none() || !self.is_word(0, "FROM") {
            args.push(self.expression(power::NONE)?);
        }
        if side.is_some() || self.is_word(0, "FROM") {
            self.expect_word("FROM")?;
            args.insert(0, self.expression(power::NONE)?);
        }
        self.expect_symbol(")")?;
        self.call(start, &name, args)
    }

    /// `TIMESTAMPADD(DAY, 1, t)`
    pub(super) fn with_unit(&mut self, name: &str) -> Result<Expr, Diagnostic> {
        let start = self.open();
        let mut args = vec![self.unit()?];
        self.expect_symbol(",")?;
        args.extend(self.arguments()?);
        self.call(start, name, args)
    }

    /// Over a function's name and its parenthesis; gives where it starts.
    fn open(&mut self) -> usize {
        let start = self.next().span.start;
        self.at += 1;
        start
    }

    /// Arguments behind keywords of their own, up to the closing parenthesis.
    fn keyword_arguments(
        &mut self,
        args: &mut Vec<Expr>,
        words: &[&str],
        last: Option<&str>,
    ) -> Result<(), Diagnostic> {
        for word in words {
            self.expect_word(word)?;
            args.push(self.expression(power::NONE)?);
        }
        if last.is_some_and(|word| self.take_word(word)) {
            args.push(self.expression(power::NONE)?);
        }
        self.expect_symbol(")")
    }

    pub(super) fn is_interval(&self) -> bool {
        let sign = usize::from(self.is_symbol(1, "-") || self.is_symbol(1, "+"));
        matches!(
            self.tokens.get(self.at + 1 + sign).map(|t| &t.kind),
            Some(TokenKind::Text(_))
        )
    }

    /// `INTERVAL '1' DAY + t`
    pub(super) fn interval_first(&mut self) -> Result<Expr, Diagnostic> {
        let interval = self.interval()?;
        if !self.take_symbol("+") {
            return Err(self.unexpected("`+` and what the interval is added to"));
        }
        let value = self.expression(power::SUM + 1)?;
        self.shifted(value, "+", interval)
    }

    /// A DATE or TIMESTAMP with an interval added or taken away: a count and its unit, MONTH or
    /// MILLISECOND.
    pub(super) fn shifted(
        &self,
        value: Expr,
        sign: &str,
        (mut count, unit, span): (i64, Unit, Span),
    ) -> Result<Expr, Diagnostic> {
        if sign == "-" {
            count = -count;
        }
        let start = value.span.start.min(span.start);
        let part = |kind| Expr {
            span: span.clone(),
            kind,
            depth: 1,
        };
        let count = part(Kind::Constant(Constant::Decimal(Decimal {
            unscaled: i128::from(count),
            precision: 19,
            scale: 0,
        })));
        let args = vec![value, count, part(Kind::Unit(unit))];
        self.call(start, "+ INTERVAL", args)
    }

    /// `INTERVAL '1' DAY`, `INTERVAL -'1.5' SECOND`, `INTERVAL '100' DAY(3)`: of one unit.
    pub(super) fn interval(&mut self) -> Result<(i64, Unit, Span), Diagnostic> {
        let start = self.next().span.start;
        let negative = self.take_symbol("-");
        if !negative {
            self.take_symbol("+");
        }
        let token = self.next();
        let TokenKind::Text(text) = token.kind else {
            let message = "the length of an INTERVAL is a string: INTERVAL '1' DAY";
            return Err(Diagnostic::at(token.span, message));
        };
        let Kind::Unit(unit) = self.unit()?.kind else {
            unreachable!("a unit is a unit")
        };
        let mut digits = 2;
        if self.take_symbol("(") {
            let number = self.next();
            digits = self.text[number.span.clone()].parse().unwrap_or(0);
            self.expect_symbol(")")?;
        }
        let span = self.span_from(start);
        if self.is_word(0, "TO") || self.is_symbol(0, "*") || self.is_symbol(0, "/") {
            let message = "an INTERVAL is a literal of one unit: INTERVAL '1' DAY";
            return Err(Diagnostic::at(self.peek().span.clone(), message));
        }
        let count = interval_length(&text, unit, digits);
        let (count, unit) = count.map_err(|message| Diagnostic::at(span.clone(), message))?;
        Ok((if negative { -count } else { count }, unit, span))
    }
}

/// The length of `INTERVAL 'text' unit` in months or milliseconds; `digits` before the point.
fn interval_length(text: &str, unit: Unit, digits: u32) -> Result<(i64, Unit), String> {
    let (scale, base) = match unit {
        Unit::Year => (12, Unit::Month),
        Unit::Month => (1, Unit::Month),
        Unit::Day => (calendar::DAY, Unit::Millisecond),
        Unit::Hour => (3_600_000, Unit::Millisecond),
        Unit::Minute => (60_000, Unit::Millisecond),
        Unit::Second => (1000, Unit::Millisecond),
        _ => {
            return Err(format!(
                "an INTERVAL is of YEAR, MONTH, DAY, HOUR, MINUTE or SECOND, not {}",
                unit.name()
            ));
        }
    };
    let (negative, unsigned) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim().trim_start_matches('+')),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let is_number = whole.len() <= 9 && whole.bytes().all(|b| b.is_ascii_digit());
    let whole: Option<i64> = whole.parse().ok().filter(|_| is_number && is_fraction);
    let Some(whole) = whole.filter(|_| fraction.is_empty() || unit == Unit::Second) else {
        return Err(format!(
            "'{text}' is no number of {}S for an INTERVAL",
            unit.name()
        ));
    };
    if whole.checked_ilog10().is_some_and(|most| most >= digits) {
        let name = unit.name();
        return Err(format!(
            "'{text}' has more than {digits} digits: write INTERVAL '{text}' {name}({})",
            whole.ilog10() + 1
        ));
    }
    let count = whole * scale + calendar::nanos(fraction) / 1_000_000;
    Ok((if negative { -count } else { count }, base))
}
