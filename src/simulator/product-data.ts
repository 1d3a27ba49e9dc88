/** Northwind's 80 made-up products in 8 categories: a data table, nothing else. Prices and costs are cents without tax. */

export const categories = [
  'Bikes',
  'Cycle parts',
  'Tents & camping',
  'Clothing',
  'Footwear',
  'Packs & bags',
  'Lights & navigation',
  'Kids',
] as const
export type Category = (typeof categories)[number]

export interface ProductRow {
  category: Category
  name: string
  priceMinor: number
  costMinor: number
  /** Share of its category's sales before tastes: any unit. */
  popularity: number
  /** Launched at this share of the simulated days; absent = on sale from the start. */
  launch?: number
}

type Row = readonly [name: string, priceMinor: number, costMinor: number, popularity: number, launch?: number]

const table: Record<Category, readonly Row[]> = {
  Bikes: [
    ['Trail-E 500 Step-through', 219900, 153100, 14],
    ['Trail-E 300 Diamond', 189900, 134600, 10],
    ['Kestrel gravel bike', 149900, 104200, 12],
    ['Kestrel gravel bike, carbon', 289900, 187400, 4],
    ['Harbour city bike, 7 gears', 69900, 47900, 20],
    ['Harbour city bike, 3 gears', 54900, 39800, 16],
    ['Foldaway 16', 84900, 57100, 8],
    ['Cargo Kit long-tail', 329900, 236800, 3],
    ['Ridgeback hardtail 29', 119900, 82600, 10],
    ['Trail-E 700 Expedition', 349900, 231500, 5, 0.35],
  ],
  'Cycle parts': [
    ['Spiked tyre 29″', 5990, 3140, 10],
    ['All-season tyre 28″', 3490, 1660, 16],
    ['Trail bell, brass', 2490, 870, 9],
    ['Chain, 10-speed', 2990, 1510, 14],
    ['Brake pads, pair', 1590, 540, 18],
    ['Floor pump Gale', 4490, 2160, 8],
    ['Repair kit Roadside', 1290, 430, 15],
    ['Saddle Loam', 6990, 3280, 6],
    ['Mudguards, full set', 3990, 1790, 7],
    ['Workstand Anchor', 12990, 7420, 3, 0.2],
  ],
  'Tents & camping': [
    ['Aurora 2 tent', 34990, 20150, 9],
    ['Aurora 3 tent', 42990, 25400, 6],
    ['Ember gas stove', 5990, 2890, 11],
    ['Fjell kettle 1.2 L', 3490, 1420, 10],
    ['Down sleeping bag −5', 24990, 14300, 6],
    ['Summer sleeping bag', 8990, 4480, 10],
    ['Sleeping mat Moss', 7990, 3710, 12],
    ['Camp chair Heron', 5490, 2740, 9],
    ['Tarp 3 × 3 m', 6990, 3320, 7],
    ['Aurora 1 tent, ultralight', 39990, 24100, 5, 0.6],
  ],
  Clothing: [
    ['Kiruna merino base layer, W', 6900, 2930, 16],
    ['Kiruna merino base layer, M', 6900, 2930, 15],
    ['Drizzle rain jacket', 14990, 6480, 12],
    ['Gale windproof', 9990, 4390, 9],
    ['Bracken trousers', 10990, 4870, 10],
    ['Loft down jacket', 19990, 9020, 8],
    ['Merino socks, 3 pairs', 2490, 860, 20],
    ['Glacier gloves', 3990, 1580, 11],
    ['Moorland wool hat', 2490, 790, 12],
    ['Drizzle Light rain jacket', 11990, 5330, 9, 0.45],
  ],
  Footwear: [
    ['Scree hiking boot, mid', 15990, 8120, 12],
    ['Scree hiking boot, high', 18990, 9760, 8],
    ['Pebble trail shoe', 11990, 5840, 15],
    ['Tidal sandal', 6990, 3050, 10],
    ['Birch winter boot', 16990, 8870, 8],
    ['Clipless shoe Spoke', 12990, 6600, 7],
    ['Hut slipper', 3990, 1490, 9],
    ['Gaiters Heath', 3490, 1450, 6],
    ['Boot wax, beeswax', 1190, 310, 16],
    ['Pebble trail shoe, waterproof', 13990, 6910, 9, 0.75],
  ],
  'Packs & bags': [
    ['Pannier 22 L, moss', 11800, 5530, 12],
    ['Pannier 22 L, ink', 11800, 5530, 12],
    ['Daypack Wren 18', 6990, 3120, 15],
    ['Trek pack Heron 55', 18990, 9380, 7],
    ['Handlebar bag', 5490, 2380, 9],
    ['Hip pack', 2990, 1140, 12],
    ['Dry bag 10 L', 1990, 640, 14],
    ['Messenger Quay', 8990, 4020, 10],
    ['Rain cover', 1490, 450, 11],
    ['Roll-top Quay 25', 9990, 4610, 8, 0.5],
  ],
  'Lights & navigation': [
    ['Lumen head torch', 4490, 1930, 16],
    ['Lumen Pro head torch', 8990, 4110, 8],
    ['Beacon front light', 5990, 2670, 14],
    ['Beacon rear light', 3490, 1410, 16],
    ['Waypoint handheld GPS', 22990, 14200, 4],
    ['Waypoint bike computer', 16990, 9940, 7],
    ['Compass Polar', 2990, 1170, 8],
    ['Map case', 1990, 610, 7],
    ['Camp lantern Glow', 3990, 1660, 10],
    ['Power bank 10,000 mAh', 3490, 1880, 13, 0.3],
  ],
  Kids: [
    ['Sprout balance bike', 9990, 5480, 12],
    ['Sprout 16″ bike', 22990, 14100, 8],
    ['Acorn child seat', 8990, 4610, 9],
    ['Ladybird helmet', 4490, 1980, 15],
    ['Puddle suit', 5990, 2590, 14],
    ['Wool overall Lamb', 7990, 3640, 9],
    ['Squirrel kids’ pack', 3490, 1380, 12],
    ['Tadpole rubber boots', 2990, 1190, 16],
    ['Trailer Duo', 54990, 35900, 3],
    ['Firefly kids’ head torch', 1990, 740, 11, 0.55],
  ],
}

/** Every product in a fixed order: ten per category, categories as listed. */
export const productRows: readonly ProductRow[] = categories.flatMap(category =>
  table[category].map(([name, priceMinor, costMinor, popularity, launch]) => ({
    category,
    name,
    priceMinor,
    costMinor,
    popularity,
    ...(launch === undefined ? {} : { launch }),
  })),
)

/** Planted baskets: whoever takes the first product also takes the second with this probability. */
export const companions: readonly { with: string; take: string; probability: number }[] = [
  { with: 'Harbour city bike, 7 gears', take: 'Beacon front light', probability: 0.4 },
  { with: 'Trail-E 500 Step-through', take: 'Pannier 22 L, moss', probability: 0.35 },
  { with: 'Kestrel gravel bike', take: 'Handlebar bag', probability: 0.3 },
  { with: 'Beacon front light', take: 'Beacon rear light', probability: 0.5 },
  { with: 'Ember gas stove', take: 'Fjell kettle 1.2 L', probability: 0.3 },
  { with: 'Aurora 2 tent', take: 'Sleeping mat Moss', probability: 0.35 },
  { with: 'Scree hiking boot, mid', take: 'Boot wax, beeswax', probability: 0.45 },
  { with: 'Sprout balance bike', take: 'Ladybird helmet', probability: 0.5 },
  { with: 'Chain, 10-speed', take: 'Brake pads, pair', probability: 0.25 },
  { with: 'Puddle suit', take: 'Tadpole rubber boots', probability: 0.4 },
]
