//! CSV files of rows (RFC 4180): a line of field names, then a line for each row.

use nizam_core::validate::{Errors, MOST_ROWS};
use serde_json::{Map, Value};

/// Most fields of a line: more than any resource has.
const MOST_FIELDS: usize = 200;

/// What is in a file.
#[derive(Debug)]
pub(super) struct File {
    /// The names of its fields.
    pub(super) headers: Vec<String>,
    /// Its rows; every cell is a text.
    pub(super) rows: Vec<Map<String, Value>>,
}

/// Reads a file.
pub(super) fn read(name: &str, body: &[u8]) -> Result<File, Errors> {
    // Spreadsheets put a byte order mark before the text.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(body);
    let unreadable = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Errors::one(name, format!("The file cannot be read at line {line}: {error}."))
    };
    let headers = reader.headers().map_err(|error| unreadable(&error))?;
    let headers: Vec<String> = headers.iter().map(|header| header.trim().to_owned()).collect();
    if headers.iter().all(String::is_empty) {
        return Err(Errors::one(name, "The first line of the file must name the fields."));
    }
    if headers.len() > MOST_FIELDS {
        return Err(Errors::one(name, format!("The file must not name more than {MOST_FIELDS} fields.")));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        // A row takes far more memory here than in the file: those that nobody will read are not even made.
        if rows.len() == MOST_ROWS {
            return Err(Errors::one(
                name,
                format!("The {name} field must not have more than {MOST_ROWS} items."),
            ));
        }
        let cells = headers.iter().zip(record.iter());
        rows.push(
            cells.map(|(name, cell)| (name.clone(), Value::String(unguarded(cell).to_owned()))).collect(),
        );
    }
    Ok(File { headers, rows })
}

/// A line with these cells.
pub(super) fn line<'c>(cells: impl Iterator<Item = &'c Value>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let cells = cells.map(|cell| match cell {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_string) => {
            guarded(&items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    });
    // Writing into memory cannot fail.
    let _infallible = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

/// A spreadsheet takes what begins like this for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text with an apostrophe before it, where a spreadsheet would calculate it. Telephone numbers are no formulas.
fn guarded(text: &str) -> String {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    // What reading would take the apostrophe from gets another one.
    let guard = text.starts_with(FORMULA) && !number || looks_guarded(text);
    if guard { format!("'{text}") } else { text.to_owned() }
}

/// The text without the apostrophe that [`guarded`] has put before it.
fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|_| looks_guarded(text)).unwrap_or(text)
}

/// Whether there are apostrophes, and then what a spreadsheet would calculate.
fn looks_guarded(text: &str) -> bool {
    text.starts_with('\'') && text.trim_start_matches('\'').starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read() {
        let cells = [
            json!("a,\"b\"\n"),
            json!("=1+1"),
            json!("+15551001"),
            json!(null),
            json!(true),
            json!("'x"),
            json!("'=1"),
        ];
        let mut file =
            line([json!("a"), json!("b"), json!("c"), json!("d"), json!("e"), json!("f"), json!("g")].iter());
        file.extend(line(cells.iter()));
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.contains(",'=1+1,+15551001,,1,"), "{text}");
        let File { headers, rows } = read("rows", &file).unwrap();
        assert_eq!(headers, ["a", "b", "c", "d", "e", "f", "g"]);
        let values: Vec<&Value> = rows[0].values().collect();
        assert_eq!(
            values,
            [
                &json!("a,\"b\"\n"),
                &json!("=1+1"),
                &json!("+15551001"),
                &json!(""),
                &json!("1"),
                &json!("'x"),
                &json!("'=1")
            ]
        );
    }

    #[test]
    fn broken_files_name_the_line() {
        let errors = read("extensions", b"a,b\n1,2\n1\n").unwrap_err();
        assert!(errors.message().contains("line 3"), "{}", errors.message());
        assert!(read("extensions", b"a\n\xff\xfe\n").is_err());
        assert!(read("extensions", b"").is_err());
        let many = ["a\n".to_owned(), "1\n".repeat(MOST_ROWS + 1)].concat();
        assert!(read("extensions", many.as_bytes()).unwrap_err().message().contains("more than 10000 items"));
        assert_eq!(read("extensions", &many.as_bytes()[..many.len() - 2]).unwrap().rows.len(), MOST_ROWS);
        assert!(read("extensions", ",".repeat(MOST_FIELDS).as_bytes()).is_err());
        assert_eq!(read("extensions", b"\xef\xbb\xbfa\n1\n").unwrap().headers, ["a"]);
    }
}
