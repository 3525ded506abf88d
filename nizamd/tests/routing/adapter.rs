//! The one place that knows how an image is made of rows, and how the resolver is asked.

use crate::call::Call;
use crate::element::{Element, elements};
use crate::interpreter::Step;
use crate::model::Model;
use crate::names;
use crate::rows::rows;
use nizam_core::compile::Compiler;
use nizam_engine::{Channel, DialplanQuestion, Engine, Layers, Origin};
use nizam_wire::Builder;
use nizam_wire::image::Image;
use nizam_wire::path;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What FreeSWITCH asks, with the image of a model.
pub(crate) struct Resolver(Engine);

/// The variables of a call.
struct Variables<'c>(&'c BTreeMap<String, Vec<u8>>);

impl Channel for Variables<'_> {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

/// The path that a step says, if it says one. What it says is no part of what is compared: the document leaves it open.
fn path_of((application, argument): &Step) -> Option<&str> {
    argument.strip_prefix("nizam_path=").filter(|_| application == "set")
}

impl Resolver {
    /// The resolver that has the image of a model.
    pub(crate) fn of(model: &Model) -> Result<Self, String> {
        let image = image(model).map_err(|error| format!("no image: {error}"))?;
        let engine = Engine::default();
        engine.live.publish(Layers::new(vec![Arc::new(image)], Origin::Daemon));
        Ok(Self(engine))
    }

    /// The steps that FreeSWITCH gets; `None`: the call is not ours.
    pub(crate) fn answer(&self, call: &Call) -> Result<Option<Vec<Step>>, String> {
        let question = DialplanQuestion {
            context: call.context.as_deref(),
            number: call.number.as_deref(),
            caller_number: call.caller_number.as_deref(),
            address: call.address.as_deref(),
            caller: call.caller.as_deref(),
            caller_domain: call.caller_domain.as_deref(),
            gateway: call.gateway.as_deref(),
            admitted: call.admitted.as_deref(),
            path: None,
            channel: &Variables(&call.variables),
            now: call.now,
        };
        let route = catch_unwind(AssertUnwindSafe(|| self.0.dialplan(&question)));
        let route = route.map_err(|_| "the resolver panicked".to_owned())?;
        if let Some(Err(error)) = route.as_ref().map(|route| route.write(&mut Vec::new())) {
            return Err(format!("no document: {error:?}"));
        }
        let steps =
            |action: nizam_engine::Action<'_>| (action.application.to_owned(), action.data.to_owned());
        let steps: Option<Vec<Step>> = route.map(|route| route.actions().map(steps).collect());
        let Some(mut steps) = steps else { return Ok(None) };
        self.check_path(&question, &steps)?;
        steps.retain(|step| path_of(step).is_none());
        Ok(Some(steps))
    }

    /// What a route says of the rows that a call passed: it is readable, no longer than it may be, and each of them is one of which the explanation tells.
    fn check_path(&self, question: &DialplanQuestion<'_>, steps: &[Step]) -> Result<(), String> {
        let notes = self.0.explain(question).1;
        for path in steps.iter().filter_map(path_of) {
            let words = path.split(' ').filter(|word| word.contains(':')).count();
            let read: Vec<_> = path::read(path).collect();
            let known = read.iter().all(|row| {
                // The mailbox of an extension that nobody answers.
                let names =
                    [row.object.name(), if row.object == path::Object::Voicemail { "extension" } else { "" }];
                notes.iter().any(|note| note.id == Some(row.id) && names.contains(&note.object))
            });
            if read.is_empty() || read.len() != words || path.len() > path::MOST || !known {
                return Err(format!("the path {path} is not that of {notes:?}"));
            }
        }
        Ok(())
    }

    /// The menu of a name with its entries; `None`: it is none of ours.
    pub(crate) fn menu(&self, name: &str) -> Option<Vec<Element>> {
        let mut document = Vec::new();
        let is_ours = self.0.menu(name.as_bytes(), &mut document);
        let document = String::from_utf8(document).unwrap();
        let of_menu = |(name, _): &Element| name == "menu" || name == "entry";
        is_ours.then(|| elements(&document).into_iter().filter(of_menu).collect())
    }
}

/// The image of everything that the tenants own.
fn image(model: &Model) -> Result<Image, Box<dyn std::error::Error>> {
    let mut builder = Builder::base(model.generation, model.generation);
    let mut compiler = Compiler::new(model.made_at, names::PROMPTS);
    for row in rows(model) {
        compiler.record(&mut builder, &row)?;
    }
    Ok(Image::from_vec(builder.finish()?)?)
}
