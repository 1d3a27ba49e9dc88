/** Every bound of the webhook source: what a mapping may ask for, and how much work one delivery may cause. */

/** Rules of one mapping. The largest preset has 15. */
export const rulesMax = 50
/** JSON values in one rule, everything counted; the largest preset rule has about 250. */
export const ruleValuesMax = 2000
/** Nesting of a mapping's JSON. Checked before anything recursive reads it, so that a depth bomb cannot exhaust the stack. */
export const mappingDepthMax = 24
/** Characters of a name: a rule's, a property's, an identifier's namespace. */
export const nameCharactersMax = 100
export const pathCharactersMax = 200
export const pathStepsMax = 16

/** Events made from one delivery; more are rejected as `too_many_events`. */
export const eventsPerDeliveryMax = 1000
/** Elements that one `each` or `collect` may visit. */
export const elementsMax = 2000
/** Values read from one delivery, over all rules and elements: an honest one needs some 50 per event. */
export const workMax = 500_000
/** Copied characters that count as one value: together with `workMax`, what a delivery may grow to (8 million). */
export const charactersPerWork = 16
/** Nesting of a value that is copied from the body as it is. */
export const copyDepthMax = 32
/** Faults reported for one event; the rest repeat the story. */
export const faultsMax = 20

/** Nesting of a delivered body; JSON that vendors send stays under 15. */
export const bodyDepthMax = 64
/** Characters of a broken body in which the fault is looked for. */
export const locatedCharactersMax = 100_000
/** Fields of a form-encoded body. */
export const formFieldsMax = 2000
/** Nesting of `a[b][c]` names in a form-encoded body. */
export const formDepthMax = 8

/** Digits that a JSON number carries without loss. Longer ids are kept as strings, longer amounts are faults. */
export const exactDigitsMax = 15
