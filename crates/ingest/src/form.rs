//! Our own form as the OpenAPI document describes it. It is read by `validate`; a test holds the two together. `Deserialize` is
//! derived for its attributes alone, which the document follows.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

/// One event, or several.
#[derive(Deserialize, ToSchema)]
#[schema(as = OneOrMoreEvents)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(untagged)]
pub(crate) enum EventsForm {
    One(Box<EventForm>),
    More(Vec<EventForm>),
}

/// One of `CloudEvents`, or several.
#[derive(Deserialize, ToSchema)]
#[schema(as = OneOrMoreCloudEvents)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(untagged)]
pub(crate) enum CloudEventsForm {
    One(Box<CloudEventForm>),
    More(Vec<CloudEventForm>),
}

/// One of `CloudEvents` 1.0 in its JSON form. Its `id`, behind its `source`, and its `time` are the event's.
#[derive(Deserialize, ToSchema)]
#[schema(as = CloudEvent)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
pub(crate) struct CloudEventForm {
    #[schema(pattern = r"^1\.0$", example = "1.0")]
    specversion: String,
    #[schema(min_length = 1, example = "000123")]
    id: String,
    #[schema(min_length = 1, example = "/tills/7")]
    source: String,
    #[schema(min_length = 1, example = "fi.example.complained")]
    r#type: String,
    #[schema(format = DateTime, example = "2026-11-20T09:31:00+02:00")]
    time: String,
    /// An event without `id` and `time`.
    #[schema(value_type = Option<Object>)]
    data: Option<()>,
    /// The same as bytes.
    data_base64: Option<String>,
}

/// One thing that happened, as a sender writes it. A field that is null is left out.
#[derive(Deserialize, ToSchema)]
#[schema(as = Event)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(deny_unknown_fields)]
pub(crate) struct EventForm {
    /// The sender's own id: the same event sent again has the same one.
    #[schema(max_length = 256, pattern = r"\S", example = "till-7-000123")]
    id: String,
    kind: KindForm,
    /// What happened, more finely than its kind; the kind where absent.
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "delivery.late")]
    r#type: Option<String>,
    /// When it happened, with an offset. In the future it counts as now.
    #[schema(format = DateTime, example = "2026-11-20T09:31:00+02:00")]
    time: String,
    /// Who the customer is: type to a value or several (`customer_number`, `loyalty_card`, `email`, `phone`, `device`, and the
    /// company's own).
    identifiers: Option<BTreeMap<String, Values>>,
    /// What it is about: type to a value or several (`order`, `shipment`, `ticket`, `thread`, and the company's own).
    references: Option<BTreeMap<String, Values>>,
    score: Option<ScoreForm>,
    #[schema(max_length = 20000)]
    text: Option<String>,
    /// A language tag.
    #[schema(
        pattern = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
        max_length = 64,
        example = "fi"
    )]
    language: Option<String>,
    /// The customer's name.
    #[schema(max_length = 200)]
    name: Option<String>,
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "store:kamppi")]
    place: Option<String>,
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$")]
    product: Option<String>,
    /// The step of the customer's journey.
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "delivery")]
    stage: Option<String>,
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "pickup-point")]
    touchpoint: Option<String>,
    /// Who caused it: a department or a subcontractor.
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "posti")]
    party: Option<String>,
    amount: Option<AmountForm>,
    promise: Option<PromiseForm>,
    perspective: Option<PerspectiveForm>,
    /// The sender's own, at most 32 KiB.
    #[schema(value_type = Option<Object>)]
    attributes: Option<()>,
    /// With the type `customer.updated`.
    customer: Option<CustomerForm>,
    /// Imported; only for sources of an import.
    history: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Kind)]
#[serde(rename_all = "snake_case")]
enum KindForm {
    Feedback,
    Complaint,
    Service,
}

/// Whose eyes saw it; a customer's where absent.
#[derive(Deserialize, ToSchema)]
#[schema(as = Perspective)]
#[serde(rename_all = "snake_case")]
enum PerspectiveForm {
    Customer,
    MysteryShopper,
    Simulation,
    Competitor,
    Employee,
    Test,
}

/// A value, or several, or null: none.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(untagged)]
enum Values {
    One(ValueForm),
    More(Vec<ValueForm>),
    None,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Value, max_length = 256, pattern = r"\S")]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
struct ValueForm(String);

/// An answer on a scale.
#[derive(Deserialize, ToSchema)]
#[schema(as = Score)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(deny_unknown_fields)]
struct ScoreForm {
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "nps")]
    metric: String,
    value: f64,
    min: f64,
    max: f64,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Amount)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(deny_unknown_fields)]
struct AmountForm {
    /// A decimal number.
    #[schema(pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$", example = "129.90")]
    value: String,
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: String,
    of: AmountOfForm,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AmountOf)]
#[serde(rename_all = "snake_case")]
enum AmountOfForm {
    Purchase,
    Refund,
    Compensation,
    ServiceCost,
}

/// Something said to a customer.
#[derive(Deserialize, ToSchema)]
#[schema(as = Promise)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(deny_unknown_fields)]
struct PromiseForm {
    #[schema(max_length = 256)]
    id: String,
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$", example = "refund")]
    what: String,
    /// In words.
    #[schema(max_length = 2000)]
    text: Option<String>,
    #[schema(format = DateTime)]
    due: Option<String>,
    /// The department that said it.
    #[schema(pattern = r"^[a-z][a-z0-9-]{0,47}$")]
    by: Option<String>,
    /// The department that keeps it.
    #[schema(pattern = r"^[a-z][a-z0-9-]{0,47}$")]
    keeper: Option<String>,
    /// `made` where absent.
    state: Option<PromiseStateForm>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PromiseState)]
#[serde(rename_all = "snake_case")]
enum PromiseStateForm {
    Made,
    Kept,
    Broken,
    Withdrawn,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Customer)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(deny_unknown_fields)]
struct CustomerForm {
    #[schema(max_length = 64)]
    r#type: Option<String>,
    #[schema(max_length = 64)]
    tier: Option<String>,
    #[schema(max_length = 64)]
    preferred_contact: Option<String>,
}
