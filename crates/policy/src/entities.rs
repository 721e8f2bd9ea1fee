//! Questions as Cedar sees them: entities, requests and contexts. Names that never change are made
//! once.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression as Value, Schema,
};
use vitals::Role;

use crate::question::{Asker, Circumstances, Question, Subject, Target, Thing};

const MINUTE_MS: i64 = 60_000;

struct Names {
    user: EntityTypeName,
    patient: EntityTypeName,
    device: EntityTypeName,
    house: EntityUid,
    roles: HashMap<Role, EntityUid>,
    nothing: Value,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let kind = |name: &str| name.parse::<EntityTypeName>().expect("a word is a type name");
    let role = kind("Role");
    let roles = Role::ALL.map(|one| (one, uid(&role, one.name())));
    Names {
        user: kind("User"),
        patient: kind("Patient"),
        device: kind("Device"),
        house: uid(&kind("House"), "house"),
        roles: roles.into_iter().collect(),
        nothing: Value::new_set([]),
    }
});

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// The name that a role has in policies.
pub(crate) fn role(role: Role) -> &'static EntityUid {
    &NAMES.roles[&role]
}

/// What went wrong when a question was put into Cedar's words; nothing that a policy can cause.
#[derive(Debug, thiserror::Error)]
#[error("a question that can't be asked: {0}")]
pub(crate) struct Unaskable(String);

fn unaskable(error: impl std::fmt::Display) -> Unaskable {
    Unaskable(error.to_string())
}

/// The request, and the entities that its rules look at. With a schema both are checked by it.
pub(crate) fn asked(
    question: &Question<'_>,
    action: &Entity,
    schema: Option<&Schema>,
) -> Result<(Request, Entities), Unaskable> {
    let asker = asker(&question.asker)?;
    let target = match &question.target {
        Target::House => Entity::new_no_attrs(NAMES.house.clone(), HashSet::new()),
        Target::Patient(subject) => patient(subject)?,
        Target::Device(thing) => device(thing)?,
    };
    let context = context(&question.circumstances)?;
    let request = Request::new(asker.uid(), action.uid(), target.uid(), context, schema);
    // With a schema, Cedar brings the actions itself.
    let action = schema.is_none().then(|| action.clone());
    let entities = Entities::from_entities([asker, target].into_iter().chain(action), schema);
    Ok((request.map_err(unaskable)?, entities.map_err(unaskable)?))
}

thread_local! {
    /// Who asked last, and in which circumstances: a page asks about many patients in a row.
    static LAST_ASKER: RefCell<Option<(Who, Entity)>> = const { RefCell::new(None) };
    static LAST_CONTEXT: RefCell<Option<(Around, Context)>> = const { RefCell::new(None) };
}

struct Who {
    name: String,
    role: Role,
    kind: String,
    units: Option<BTreeSet<String>>,
    patient: Option<String>,
}

impl Who {
    fn is(&self, asker: &Asker<'_>) -> bool {
        self.role == asker.role
            && self.name == asker.name
            && self.kind == asker.kind
            && self.patient.as_deref() == asker.patient
            && self.units.as_ref() == asker.units
    }
}

struct Around {
    words: [String; 3],
    flags: [bool; 2],
    minute: i64,
}

impl Around {
    fn is(&self, circumstances: &Circumstances<'_>) -> bool {
        let Circumstances { purpose, stated, strong, zone, category, now_ms } = *circumstances;
        self.minute == now_ms.div_euclid(MINUTE_MS)
            && self.flags == [stated, strong]
            && self.words == [purpose, zone, category]
    }
}

fn asker(asker: &Asker<'_>) -> Result<Entity, Unaskable> {
    LAST_ASKER.with_borrow_mut(|last| match last {
        Some((who, entity)) if who.is(asker) => Ok(entity.clone()),
        _ => {
            let entity = new_asker(asker)?;
            let who = Who {
                name: asker.name.to_owned(),
                role: asker.role,
                kind: asker.kind.to_owned(),
                units: asker.units.cloned(),
                patient: asker.patient.map(str::to_owned),
            };
            *last = Some((who, entity.clone()));
            Ok(entity)
        }
    })
}

fn new_asker(asker: &Asker<'_>) -> Result<Entity, Unaskable> {
    let units = asker.units.map_or_else(
        || NAMES.nothing.clone(),
        |units| Value::new_set(units.iter().map(|unit| text(unit))),
    );
    let mut attributes = HashMap::with_capacity(5);
    attributes.insert("name".to_owned(), text(asker.name));
    attributes.insert("kind".to_owned(), text(asker.kind));
    attributes.insert("whole_house".to_owned(), Value::new_bool(asker.units.is_none()));
    attributes.insert("units".to_owned(), units);
    if let Some(patient) = asker.patient {
        let own = Value::new_entity_uid(uid(&NAMES.patient, patient));
        attributes.insert("patient".to_owned(), own);
    }
    let parents = HashSet::from([role(asker.role).clone()]);
    Entity::new(uid(&NAMES.user, asker.name), attributes, parents).map_err(unaskable)
}

fn patient(subject: &Subject<'_>) -> Result<Entity, Unaskable> {
    let mut attributes = HashMap::with_capacity(6);
    if let Some(unit) = subject.unit {
        attributes.insert("unit".to_owned(), text(unit));
    }
    attributes.insert("in_encounter".to_owned(), Value::new_bool(subject.in_encounter));
    attributes.insert("care_team".to_owned(), users(subject.care_team));
    attributes.insert("caregivers".to_owned(), users(subject.caregivers));
    attributes.insert("opened_by".to_owned(), users(subject.opened_by));
    let withheld = match subject.withheld {
        [] => NAMES.nothing.clone(),
        some => Value::new_set(some.iter().map(|category| text(category))),
    };
    attributes.insert("withheld".to_owned(), withheld);
    Entity::new(uid(&NAMES.patient, subject.id), attributes, HashSet::new()).map_err(unaskable)
}

fn device(thing: &Thing<'_>) -> Result<Entity, Unaskable> {
    let mut attributes = HashMap::with_capacity(2);
    if let Some(unit) = thing.unit {
        attributes.insert("unit".to_owned(), text(unit));
    }
    attributes.insert("zone".to_owned(), text(thing.zone));
    Entity::new(uid(&NAMES.device, thing.id), attributes, HashSet::new()).map_err(unaskable)
}

fn users(names: &[&str]) -> Value {
    if names.is_empty() {
        return NAMES.nothing.clone();
    }
    Value::new_set(names.iter().map(|name| Value::new_entity_uid(uid(&NAMES.user, name))))
}

fn context(circumstances: &Circumstances<'_>) -> Result<Context, Unaskable> {
    LAST_CONTEXT.with_borrow_mut(|last| match last {
        Some((around, context)) if around.is(circumstances) => Ok(context.clone()),
        _ => {
            let context = new_context(circumstances)?;
            let Circumstances { purpose, stated, strong, zone, category, now_ms } = *circumstances;
            let around = Around {
                words: [purpose, zone, category].map(str::to_owned),
                flags: [stated, strong],
                minute: now_ms.div_euclid(MINUTE_MS),
            };
            *last = Some((around, context.clone()));
            Ok(context)
        }
    })
}

fn new_context(circumstances: &Circumstances<'_>) -> Result<Context, Unaskable> {
    let minute = circumstances.now_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
    Context::from_pairs([
        ("purpose".to_owned(), text(circumstances.purpose)),
        ("stated".to_owned(), Value::new_bool(circumstances.stated)),
        ("strong".to_owned(), Value::new_bool(circumstances.strong)),
        ("zone".to_owned(), text(circumstances.zone)),
        ("category".to_owned(), text(circumstances.category)),
        ("now".to_owned(), Value::new_long(minute)),
    ])
    .map_err(unaskable)
}

fn text(value: &str) -> Value {
    Value::new_string(value.to_owned())
}
