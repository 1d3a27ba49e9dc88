/** In: mails, calls with the shop's people, tickets, comments, and what the server learns. Out: their calls. */
import type { JsonObject } from '../spec/json.ts'
import { type Body, externalId, type Sender, serverLibrary, socialNamespaces } from './calls.ts'
import { SHOP_URL, slugOf } from './catalogue.ts'
import { employmentAt } from './people.ts'
import { salesLine } from './phones.ts'
import type {
  AliasEpisode,
  JobEpisode,
  Life,
  ListEntry,
  MailEpisode,
  PhoneCall,
  RefundEpisode,
  SocialComment,
  Ticket,
} from './plan.ts'
import { MINUTE_MS, planted } from './planted.ts'
import { hex32, type Stream } from './random.ts'
import { receiptContext, refundBody } from './shop-calls.ts'
import { comments, posts } from './texts.ts'
import { accountTraits, companyTraits, contactEmail, untidy } from './traits.ts'

const WITHHELD_NUMBER = 'anonymous'

/** The login that the shop's other systems know at an instant. */
const userIdAt = (life: Life, at: number): string | null => {
  if (at >= life.secondAccountAt) return life.person.secondUserId
  return at >= life.accountAt ? life.person.userId : null
}

const byEmail = (email: string, library: string): JsonObject => ({
  library: { name: library, version: '2' },
  externalIds: [externalId('email', email)],
  traits: { email },
})

const mailEvents: Record<MailEpisode['step'], string> = {
  sent: 'Email Delivered',
  bounced: 'Email Bounced',
  'held-out': 'Campaign Assigned',
  opened: 'Email Opened',
  clicked: 'Email Link Clicked',
  unsubscribed: 'Unsubscribed',
}

export const renderMail = (life: Life, mail: MailEpisode, sender: Sender): void => {
  const { campaign, arm, address, step } = mail
  const context = byEmail(address, 'northwind-mail')
  const userId = userIdAt(life, mail.at)
  const who = userId === null ? {} : { userId }
  const about = { campaign_id: campaign.id, campaign_name: campaign.name }
  const isAssignment = step === 'sent' || step === 'bounced' || step === 'held-out'
  if (isAssignment) {
    const properties = { ...about, channel: 'email', variation: arm, holdout: arm === 'holdout' }
    sender.send('email', mail.at, { type: 'track', event: 'Campaign Assigned', ...who, properties, context })
  }
  if (step === 'held-out') return
  const properties: JsonObject = {
    ...about,
    email_id: `${campaign.id}-${arm}`,
    email_subject: campaign.subject,
    ...(step === 'clicked' ? { link_id: 'hero', link_url: `${SHOP_URL}/campaigns/${campaign.id}` } : {}),
    ...(step === 'bounced' ? { reason: 'mailbox does not exist' } : {}),
  }
  const at = isAssignment ? mail.at + 1500 : mail.at
  sender.send('email', at, { type: 'track', event: mailEvents[step], ...who, properties, context })
}

/** Being on a list of people to call, or being held out of it. */
export const renderListed = (life: Life, entry: ListEntry, sender: Sender): void => {
  const userId = userIdAt(life, entry.at)
  sender.send('call-centre', entry.at, {
    type: 'track',
    event: 'Campaign Assigned',
    ...(userId === null ? {} : { userId }),
    properties: {
      campaign_id: entry.campaign.id,
      campaign_name: entry.campaign.name,
      channel: 'call',
      variation: entry.arm === 'holdout' ? 'holdout' : 'call',
      holdout: entry.arm === 'holdout',
    },
    context: byPhone(life.person.phone ?? WITHHELD_NUMBER, {}),
  })
}

const byPhone = (phone: string, traits: JsonObject): JsonObject => ({
  library: { name: 'northwind-calls', version: '3' },
  externalIds: [externalId('phone', phone)],
  traits: { phone, ...traits },
})

/** Seconds of talk: who spoke how long, silence not counted. */
const talk = (call: PhoneCall, stream: Stream): { duration: number; agent: number; customer: number } => {
  const isConnected = call.outcome === 'connected'
  const duration = Math.round(isConnected ? stream.logNormal(210, 0.8) + 15 : stream.between(8, 40))
  const agentShare = stream.between(0.3, 0.6)
  if (!isConnected) return { duration, agent: call.outcome === 'voicemail' ? duration : 0, customer: 0 }
  const agent = Math.round(duration * agentShare)
  return { duration, agent, customer: Math.round((duration - agent) * 0.92) }
}

const spaced = (phone: string): string => `${phone.slice(0, 3)} ${phone.slice(3, 6)} ${phone.slice(6)}`

export const renderCall = (life: Life, call: PhoneCall, sender: Sender, stream: Stream): void => {
  const { person } = life
  const { salesperson } = call
  const desk = call.number === 'switchboard' ? (employmentAt(person, call.at)?.company.switchboard ?? null) : null
  const own = person.phone ?? WITHHELD_NUMBER
  const number = call.number === 'withheld' ? WITHHELD_NUMBER : (desk ?? own)
  const isUntidy = stream.chance(planted.faults.untidyShare) && number !== WITHHELD_NUMBER
  const phone = isUntidy ? spaced(number) : number
  const { duration, agent, customer } = talk(call, stream)
  const name = `${person.name.first} ${person.name.last}`
  const knowsName = stream.chance(0.6) && call.outcome === 'connected'
  const endedAt = Math.floor(call.at) + duration * 1000
  const body: Body = {
    type: 'track',
    event: call.outcome === 'connected' ? 'Call Completed' : 'Call Missed',
    properties: {
      call_id: `C-${hex32(stream.word())}${hex32(stream.word())}`,
      direction: call.direction,
      outcome: call.outcome,
      company_number: salesLine(salesperson.id),
      agent_id: salesperson.id,
      agent_name: salesperson.name,
      started_at: new Date(call.at).toISOString(),
      ended_at: new Date(endedAt).toISOString(),
      duration_seconds: duration,
      talk_seconds: agent + customer,
      team: salesperson.team,
      topic: call.topic,
      participants: [
        { role: 'agent', id: salesperson.id, name: salesperson.name, talk_seconds: agent },
        { role: 'customer', name: knowsName ? name : null, phone, talk_seconds: customer },
      ],
      ...(call.campaign === null ? {} : { campaign_id: call.campaign.id }),
      ...(call.order === null ? {} : { order_id: call.order.id }),
    },
    context: byPhone(phone, knowsName ? { name } : {}),
  }
  // The record is written when the call is over, about when it began.
  sender.send('call-centre', call.at, body, { skewMs: 0, heldUntil: endedAt })
}

export const renderTicket = (life: Life, ticket: Ticket, sender: Sender, stream: Stream): void => {
  const { name } = life.person
  const email = untidy(ticket.address, stream)
  const events = { opened: 'Ticket Opened', solved: 'Ticket Solved', rated: 'Ticket Rated' }
  const context = byEmail(email, 'northwind-desk')
  sender.send('help-desk', ticket.at, {
    type: 'track',
    event: events[ticket.step],
    properties: {
      ticket_id: ticket.ticketId,
      subject: ticket.subject,
      assignee_id: ticket.salesperson.id,
      assignee_name: ticket.salesperson.name,
      ...(ticket.order === null ? {} : { order_id: ticket.order.id }),
      ...(ticket.step === 'solved' ? { minutes_open: Math.round((ticket.at - ticket.openedAt) / MINUTE_MS) } : {}),
      ...(ticket.step === 'rated' ? { rating: ticket.rating, out_of: 5 } : {}),
    },
    context: { ...context, traits: { email, name: `${name.first} ${name.last}` } },
  })
}

export const renderComment = (life: Life, comment: SocialComment, sender: Sender, stream: Stream): void => {
  const { social, name } = life.person
  if (!social) return
  const post = stream.pick(posts)
  sender.send('social', comment.at, {
    type: 'track',
    event: 'Comment Added',
    properties: {
      network: social.network,
      comment_id: `${social.id}_${stream.word()}`,
      post_id: slugOf(post),
      post_title: post,
      text: stream.pick(comments),
      author: name.first,
    },
    context: {
      library: { name: 'northwind-social', version: '1' },
      externalIds: [externalId(socialNamespaces[social.network], social.id)],
    },
  })
}

/** A refund names the buyer as the order did: the login and the address online, card and loyalty number in the store. */
export const renderRefund = (life: Life, refund: RefundEpisode, sender: Sender): void => {
  const { order } = refund
  if (order.place === 'store') {
    const receipt = life.episodes.find(episode => episode.kind === 'receipt' && episode.order === order)
    const context = receipt?.kind === 'receipt' ? receiptContext(life.person, receipt) : { library: serverLibrary }
    sender.send('point-of-sale', refund.at, refundBody(order, {}, context))
    return
  }
  const userId = userIdAt(life, order.at)
  const email = contactEmail(life, order.at)
  const context = { library: serverLibrary, externalIds: [externalId('email', email)], traits: { email } }
  sender.send('shop', refund.at, refundBody(order, userId === null ? {} : { userId }, context))
}

export const renderAlias = (life: Life, alias: AliasEpisode, sender: Sender): void => {
  const { userId, secondUserId } = life.person
  const context = { library: serverLibrary }
  const body: Body = { type: 'alias', userId: secondUserId, previousId: userId, context }
  sender.send('shop', alias.at, body)
}

/** Somebody changed jobs: new address, new company. Only accounts hear of it. */
export const renderJob = (life: Life, job: JobEpisode, sender: Sender): void => {
  const userId = userIdAt(life, job.at)
  if (userId === null) return
  const { company, email } = job.employment
  const context = { library: serverLibrary }
  const { company: companyTrait } = accountTraits(life, job.at)
  sender.send('shop', job.at, { type: 'identify', userId, traits: { email, company: companyTrait }, context })
  const traits = companyTraits(company)
  sender.send('shop', job.at + 200, { type: 'group', userId, groupId: company.groupId, traits, context })
}
