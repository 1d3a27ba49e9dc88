/** Short texts that people write and say: data only. */

export const ticketSubjects = [
  'Where is my parcel?',
  'One item was missing from the box',
  'Rear hub noise after two weeks',
  'Wrong size sent, please exchange',
  'Invoice shows the old address',
  'Zip of the jacket is stuck',
  'Light does not charge any more',
  'Delivered to the neighbour, but which one?',
] as const

export const callTopics = ['delivery date', 'size advice', 'service appointment', 'invoice copy'] as const

export const searchTerms = [
  'rain jacket',
  'e-bike',
  'tent 2 person',
  'bike light',
  'kids helmet',
  'hiking boots',
  'pannier',
]

export const comments = [
  'Ours did 4,000 km this season and still purr. Do you rent the spiked tyres too?',
  'Is the moss colour coming back? 🌿',
  'Waited nine days for a bell. A bell!',
  'Best customer service I have had in years ❤️',
  'Does this fit under a long coat?',
  'Bought two, the kids fight over them 😂',
  'Quand est-ce que la boutique de Paris ouvre ?',
  'Fin cykel! Finns den i grönt?',
  'The zip broke after a week 😡',
  'شكراً لكم، وصل الطلب بسرعة',
  'Any discount for clubs?',
] as const

export const posts = ['Winter fleet check', 'Five quiet roads', 'New in: Drizzle Light', 'Meet the workshop'] as const
