//! What FreeSWITCH's own `mod_cdr_csv` wrote of its channels.

use std::{collections::BTreeMap, fs, path::Path};

/// One channel.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) call_id: String,
    pub(crate) cause: String,
    pub(crate) billsec: i64,
    /// Microseconds since 1970.
    pub(crate) ended: i64,
    /// Whether it was routed: one that was asked for a password and did not come again was not.
    pub(crate) routed: bool,
}

/// The module's line in `modules.conf.xml`.
pub(crate) const LOAD: &str = "<load module=\"mod_cdr_csv\"/>\n    ";

/// Its configuration: what we compare, of both legs.
pub(crate) fn configuration(home: &Path) -> String {
    let template =
        "${uuid},${sip_call_id},${direction},${hangup_cause},${billsec},${end_uepoch},${nizam_tenant}";
    format!(
        "<configuration name=\"cdr_csv.conf\"><settings><param name=\"log-base\" value=\"{}\"/>\
         <param name=\"default-template\" value=\"compared\"/><param name=\"master-file-only\" value=\"true\"/>\
         <param name=\"legs\" value=\"ab\"/></settings>\
         <templates><template name=\"compared\">{template}</template></templates></configuration>",
        home.display()
    )
}

/// Reads what it wrote, by channel, and how often it wrote of one more than once.
pub(crate) fn read(home: &Path) -> (BTreeMap<String, Row>, usize) {
    let text = fs::read_to_string(home.join("cdr-csv/Master.csv")).unwrap_or_default();
    let (mut rows, mut twice) = (BTreeMap::new(), 0);
    // A line that was torn by a kill has no end.
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let fields: Vec<&str> = line.split(',').collect();
        let [uuid, call_id, direction, cause, billsec, ended, tenant] = fields[..] else {
            panic!("odd line: {line}")
        };
        let row = Row {
            call_id: call_id.to_owned(),
            cause: cause.to_owned(),
            billsec: billsec.parse().unwrap(),
            ended: ended.parse().unwrap(),
            routed: direction != "inbound" || !tenant.is_empty(),
        };
        twice += usize::from(rows.insert(uuid.to_owned(), row).is_some());
    }
    (rows, twice)
}
