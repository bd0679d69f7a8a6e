//! Our own form as the OpenAPI document describes it. It is read by `validate`; a test holds the two together.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// One thing that happened, as a sender writes it.
#[derive(ToSchema)]
#[schema(as = Event)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
pub(crate) struct EventForm {
    /// The sender's own id: the same event sent again has the same one.
    #[schema(max_length = 256, example = "till-7-000123")]
    id: String,
    /// `feedback`, `complaint` or `service`.
    #[schema(example = "complaint")]
    kind: String,
    /// What happened, more finely than its kind; the kind where absent.
    #[schema(pattern = "[a-z0-9][a-z0-9._:-]{0,63}", example = "delivery.late")]
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
    #[schema(example = "fi")]
    language: Option<String>,
    /// The customer's name.
    #[schema(max_length = 200)]
    name: Option<String>,
    #[schema(example = "store:kamppi")]
    place: Option<String>,
    product: Option<String>,
    /// The step of the customer's journey.
    #[schema(example = "delivery")]
    stage: Option<String>,
    #[schema(example = "pickup-point")]
    touchpoint: Option<String>,
    /// Who caused it: a department or a subcontractor.
    #[schema(example = "posti")]
    party: Option<String>,
    amount: Option<AmountForm>,
    promise: Option<PromiseForm>,
    /// Whose eyes saw it: `customer` (where absent), `mystery_shopper`, `simulation`, `competitor`, `employee`, `test`.
    perspective: Option<String>,
    /// The sender's own, at most 32 KiB.
    #[schema(value_type = Option<Object>)]
    attributes: Option<()>,
    /// With the type `customer.updated`.
    customer: Option<CustomerForm>,
    /// Imported; only for sources of an import.
    history: Option<bool>,
    /// Only for the desk.
    recorded_by: Option<String>,
}

/// A value, or several.
#[derive(serde::Deserialize, ToSchema)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
#[serde(untagged)]
enum Values {
    One(String),
    More(Vec<String>),
}

/// An answer on a scale.
#[derive(ToSchema)]
#[schema(as = Score)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
struct ScoreForm {
    #[schema(example = "nps")]
    metric: String,
    value: f64,
    min: f64,
    max: f64,
}

#[derive(ToSchema)]
#[schema(as = Amount)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
struct AmountForm {
    /// A decimal number.
    #[schema(example = "129.90")]
    value: String,
    #[schema(example = "EUR")]
    currency: String,
    /// `purchase`, `refund`, `compensation` or `service_cost`.
    of: String,
}

/// Something said to a customer.
#[derive(ToSchema)]
#[schema(as = Promise)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
struct PromiseForm {
    id: String,
    #[schema(example = "refund")]
    what: String,
    /// In words.
    #[schema(max_length = 2000)]
    text: Option<String>,
    #[schema(format = DateTime)]
    due: Option<String>,
    /// The department that said it.
    by: Option<String>,
    /// The department that keeps it.
    keeper: Option<String>,
    /// `made` (where absent), `kept`, `broken` or `withdrawn`.
    state: Option<String>,
}

#[derive(ToSchema)]
#[schema(as = Customer)]
#[expect(dead_code, reason = "it is written by senders and read field by field")]
struct CustomerForm {
    r#type: Option<String>,
    tier: Option<String>,
    preferred_contact: Option<String>,
}
