//! Plots of the page: horizontal bars as SVG, which follow the reader's light or dark theme.
//!
//! ```text
//!              title
//!              0     0.5     1.0     1.5   precast   wasmtime    ratio
//!    row name  |██████████    ¦                12         24  ns  0.50
//!    row name  |██████████████¦███             30         25  ms  1.20
//! ```

use crate::record::{Outcome, Row};
use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Style, Text, Title};

/// Width of a plot.
const WIDTH: f64 = 1000.0;
/// Where names end and bars begin.
const LEFT: f64 = 350.0;
/// The longest bar.
const BAR: f64 = 330.0;
/// Right ends of the columns of numbers: precast, wasmtime and the ratio.
const COLUMNS: [f64; 3] = [805.0, 925.0, 985.0];
/// Height of everything above the first row.
const TOP: f64 = 62.0;
/// Height of a row.
const ROW: f64 = 22.0;
/// Longer ratios have a bar of this length that ends in an arrow, so that the others stay legible.
const LONGEST: f64 = 3.0;
/// The most characters of a failure's reason that fit.
const REASON: usize = 80;

/// Colours: the background belongs to the plot, as a page may have another theme than the system.
const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 15px; }
.faint { fill: #59636e; }
.number { font-variant-numeric: tabular-nums; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.failed { fill: #b3261e; }
.back { fill: #ffffff; }
.grid { stroke: #d1d9e0; }
.one { stroke: #1f2328; stroke-dasharray: 4 3; }
.less { fill: #3d85c6; }
.more { fill: #d98032; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.faint { fill: #9198a1; }
.failed { fill: #ff8a80; }
.back { fill: #0d1117; }
.grid { stroke: #3d444d; }
.one { stroke: #f0f6fc; }
.less { fill: #4a90d0; }
.more { fill: #d98032; }
}";

/// The plot of a group.
pub(crate) fn bars(title: &str, rows: &[&Row]) -> String {
    let height = TOP + ROW * rows.len() as f64 + 12.0;
    let scale = Scale::of(rows);
    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("role", "img")
        .add(Title::new(format!("{title}: precast beside wasmtime")))
        .add(Style::new(STYLE))
        .add(rectangle("back", [0.0, 0.0, WIDTH, height]).set("rx", 6))
        .add(heading(title))
        .add(scale.grid(height));
    for (at, row) in rows.iter().enumerate() {
        document = document.add(line(row, TOP + ROW * at as f64, scale));
    }
    // Bars do not hide the line they are compared with.
    document.add(scale.one(height)).to_string() + "\n"
}

/// The title, the meaning of the bars and the headings of the columns.
fn heading(title: &str) -> Group {
    let mut heading = Group::new().add(text("title", 15.0, 25.0, title)).add(text(
        "faint",
        LEFT,
        25.0,
        "bars: precast / wasmtime; shorter is better",
    ));
    for (at, name) in COLUMNS.into_iter().zip(["precast", "wasmtime", "ratio"]) {
        heading = heading.add(text("faint end", at, 48.0, name));
    }
    heading
}

/// One row: its name, its bar and its numbers.
fn line(row: &Row, top: f64, scale: Scale) -> Group {
    let base = top + ROW * 0.7;
    let mut line = Group::new().add(text("end", LEFT - 10.0, base, &row.name));
    if let Outcome::Measured(pair) = &row.outcome {
        let symbol = pair.unit().symbol;
        for (at, median) in COLUMNS.into_iter().zip(pair.medians()) {
            line = line.add(text("number end", at, base, &format!("{median} {symbol}")));
        }
    }
    match &row.outcome {
        Outcome::Measured(pair) => ratio(line, pair.ratio(), top, scale),
        Outcome::Mean(mean) => ratio(line, *mean, top, scale),
        Outcome::Failed(reason) => {
            let mut shown: String = reason.chars().take(REASON).collect();
            if shown.len() < reason.len() {
                shown.push('…');
            }
            line.add(text("failed", LEFT + 6.0, base, &format!("failed: {shown}")))
        }
    }
}

/// Adds the bar of a ratio, and the ratio as a number.
fn ratio(line: Group, ratio: f64, top: f64, scale: Scale) -> Group {
    let class = if ratio <= 1.0 { "less" } else { "more" };
    let length = scale.length(ratio.min(LONGEST));
    let bar = rectangle(class, [LEFT, top + 4.0, length.max(1.0), ROW - 8.0]);
    let number = text("number end", COLUMNS[2], top + ROW * 0.7, &format!("{ratio:.2}"));
    let line = line.add(bar).add(number);
    match ratio > LONGEST {
        true => line.add(text("", LEFT + length + 3.0, top + ROW * 0.7, "→")),
        false => line,
    }
}

/// The scale of a plot.
#[derive(Clone, Copy)]
struct Scale {
    /// The ratio at the right end.
    most: f64,
}

impl Scale {
    /// A scale for all rows, on which 1 is not at the edge.
    fn of(rows: &[&Row]) -> Self {
        let ratios = rows.iter().filter_map(|row| match &row.outcome {
            Outcome::Measured(pair) => Some(pair.ratio()),
            Outcome::Mean(mean) => Some(*mean),
            Outcome::Failed(_) => None,
        });
        Scale { most: ratios.fold(1.25, f64::max).min(LONGEST) }
    }

    /// The length of a ratio's bar, in tenths: more digits are noise in the file.
    fn length(self, ratio: f64) -> f64 {
        (ratio / self.most * BAR * 10.0).round() / 10.0
    }

    /// Lines and their numbers, below the bars.
    fn grid(self, height: f64) -> Group {
        let mut grid = Group::new();
        let ticks = (0..).map(|tick| f64::from(tick) * 0.5).take_while(|tick| *tick <= self.most);
        for tick in ticks {
            let number =
                text("faint middle", LEFT + self.length(tick), 48.0, &format!("{tick:.1}"));
            grid = grid.add(self.vertical("grid", tick, height)).add(number);
        }
        grid
    }

    /// The line at 1, where both need the same.
    fn one(self, height: f64) -> Line {
        self.vertical("one", 1.0, height)
    }

    /// A line across all rows.
    fn vertical(self, class: &str, ratio: f64, height: f64) -> Line {
        let x = LEFT + self.length(ratio);
        let line = Line::new().set("class", class).set("x1", x).set("x2", x);
        line.set("y1", TOP - 8.0).set("y2", height - 8.0)
    }
}

/// A rectangle: left, top, width and height.
fn rectangle(class: &str, [x, y, width, height]: [f64; 4]) -> Rectangle {
    let rectangle = Rectangle::new().set("class", class).set("x", x).set("y", y);
    rectangle.set("width", width).set("height", height)
}

/// Text on a base line.
fn text(class: &str, x: f64, y: f64, content: &str) -> Text {
    Text::new(content).set("class", class).set("x", x).set("y", y)
}
