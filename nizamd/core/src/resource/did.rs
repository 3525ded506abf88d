//! DIDs: numbers of the public network that lead to a destination of the tenant.

use nizam_wire::image;

use super::destination::TYPE;
use super::field::{Default, Field, Kind, Refers};
use super::{Access, Quota, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::rule::{DID_NUMBER, PLAIN, did_key};

/// DIDs. What they lead to need not exist yet: until it does, a call to them is answered with 404.
pub const DID: Resource = Resource {
    model: "Did",
    label: "DID",
    table: "dids",
    path: "dids",
    parameter: "did",
    access: Access { view: P::DidsView, create: P::DidsCreate, update: P::DidsUpdate, delete: P::DidsDelete },
    quota: Some(Quota::OfTenant { most: "max_dids", count: "dids_count" }),
    record: Some(image::Kind::Did),
    by_upload: false,
    lenient: true,
    order: ("number", false),
    rules: no_rules,
    fields: &[
        Field::required("number", Kind::Text(DID_NUMBER))
            .filter()
            .sort()
            .folded(did_key)
            .about("The number, in any spelling; calls find it in E.164 form."),
        Field::nullable("description", Kind::Text(PLAIN)),
        Field::required("destination_type", TYPE).filter().about("Where calls go."),
        Field::required("destination_id", Kind::Id(Refers::ByType("destination_type")))
            .filter()
            .about("The id of where calls go; for voicemail that of the extension."),
        Field::optional("confirmed", Kind::Flag, Default::Flag(false)).filter().for_admins().about(
            "Whether an administrator has confirmed that the number is this tenant's; a confirmed claim goes before \
             others. Lost when the number becomes another one. Only an administrator may say so.",
        ),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};
