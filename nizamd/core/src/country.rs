//! How numbers are dialled where a tenant is at home: ITU-T Operational Bulletin 994 (dialling procedures), E.164.D
//! (country codes), and E.129 (national numbering plans, among them emergency numbers).

use std::collections::BTreeSet;

use nizam_wire::number::Home;

/// The country with that ISO 3166 code, in either case.
pub fn home(country: &str) -> Option<Home<'static>> {
    let country = country.to_ascii_uppercase();
    if AMERICA.split(' ').any(|known| known == country) {
        return Some(Home { code: "1", trunk: "1", international: "011", national: 10 });
    }
    for (trunk, international, countries) in PREFIXED {
        if let Some((_, code)) =
            countries.split(' ').filter_map(|pair| pair.split_once(':')).find(|(c, _)| *c == country)
        {
            return Some(Home { code, trunk, international, national: 0 });
        }
    }
    for (international, national, countries) in PLAIN {
        if let Some((_, code)) =
            countries.split(' ').filter_map(|pair| pair.split_once(':')).find(|(c, _)| *c == country)
        {
            return Some(Home { code, trunk: "", international, national: *national });
        }
    }
    None
}

/// The emergency numbers of a country; where they are not known, the best known of all countries.
pub(crate) fn emergency_numbers(country: &str) -> &'static [&'static str] {
    let country = country.to_ascii_uppercase();
    let listed = EMERGENCY.iter().find(|(countries, _)| countries.split(' ').any(|known| known == country));
    listed.map_or(&["000", "112", "911", "999"], |(_, numbers)| numbers)
}

/// Every spelling, of digits and a plus sign, in which a number with these E.164 digits may be written at some home. Not each
/// of them is that number at each home: whoever finds one reads it again.
pub fn spellings(digits: &str) -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::from([digits.to_owned(), format!("+{digits}")]);
    let internationals = PREFIXED.iter().map(|(_, international, _)| *international);
    let internationals = internationals.chain(PLAIN.iter().map(|(international, ..)| *international));
    all.extend(internationals.chain(["00", "011"]).map(|international| format!("{international}{digits}")));
    // A country code has one to three digits.
    for national in (1..=3).filter_map(|length| digits.get(length..)).filter(|national| !national.is_empty())
    {
        let trunks = PREFIXED.iter().map(|(trunk, ..)| *trunk).chain(["1", ""]);
        all.extend(trunks.map(|trunk| format!("{trunk}{national}")));
    }
    all.into_iter().collect()
}

/// The North American Numbering Plan.
const AMERICA: &str = "US CA AG AI AS BB BM BS DM DO GD GU JM KN KY LC MP MS PR SX TC TT VC VG VI";

/// Countries where something stands before a national number: that, what stands before an international one, and the
/// countries with their codes.
const PREFIXED: &[(&str, &str, &str)] = &[
    (
        "0",
        "00",
        "AE:971 AF:93 AL:355 AM:374 AR:54 AT:43 AZ:994 BA:387 BD:880 BE:32 BG:359 BO:591 BR:55 CD:243 CH:41 CN:86 DE:49 \
         DZ:213 EC:593 EG:20 ER:291 ET:251 FI:358 FR:33 GB:44 GE:995 GF:594 GG:44 GH:233 GP:590 HR:385 IE:353 IL:972 IM:44 \
         IN:91 IQ:964 IR:98 JE:44 JO:962 KG:996 KR:82 LA:856 LB:961 LK:94 LR:231 LT:370 LY:218 MA:212 MD:373 ME:382 MG:261 \
         MK:389 MM:95 MQ:596 MW:265 MY:60 NA:264 NL:31 NP:977 NZ:64 PE:51 PH:63 PK:92 PS:970 PY:595 RE:262 RO:40 RS:381 \
         RW:250 SA:966 SD:249 SE:46 SI:386 SK:421 SL:232 SS:211 SY:963 TR:90 UA:380 VE:58 VN:84 XK:383 YE:967 YT:262 ZA:27 \
         ZM:260 ZW:263",
    ),
    ("0", "0011", "AU:61"),
    ("0", "010", "JP:81"),
    ("0", "001", "ID:62 KH:855 MN:976 TH:66"),
    ("0", "002", "TW:886"),
    ("0", "000", "KE:254 TZ:255 UG:256"),
    ("0", "009", "NG:234"),
    ("0", "119", "CU:53"),
    ("06", "00", "HU:36"),
    ("8", "810", "BY:375 KZ:7 RU:7 TM:993"),
];

/// Countries where nothing stands before a national number: what stands before an international one, most digits of a
/// national one, and the countries with their codes.
const PLAIN: &[(&str, u8, &str)] = &[
    ("00", 6, "AD:376 FO:298 GL:299 NC:687"),
    (
        "00",
        7,
        "BN:673 BZ:501 CV:238 FJ:679 GM:220 IS:354 KM:269 LI:423 MV:960 SC:248 SR:597 TO:676 VU:678 WS:685",
    ),
    (
        "00",
        8,
        "BF:226 BH:973 BI:257 BT:975 BW:267 CF:236 CR:506 CY:357 DJ:253 DK:45 EE:372 GA:241 GI:350 GT:502 HN:504 HT:509 \
         KW:965 LS:266 LV:371 MC:377 ML:223 MR:222 MT:356 NE:227 NI:505 NO:47 OM:968 PA:507 PF:689 PG:675 QA:974 SJ:47 SV:503 \
         SZ:268 TD:235 TG:228 TL:670 TN:216 UY:598",
    ),
    (
        "00",
        9,
        "AO:244 CG:242 CL:56 CM:237 CZ:420 ES:34 GN:224 GQ:240 GW:245 LU:352 MZ:258 PL:48 PT:351 SN:221 SO:252 ST:239 TJ:992 \
         UZ:998",
    ),
    ("00", 10, "BJ:229 CI:225 CO:57 GR:30 MX:52 SM:378"),
    ("00", 11, "IT:39 VA:39"),
    ("001", 7, "GY:592"),
    ("001", 8, "HK:852 SG:65"),
    ("00", 8, "MO:853"),
    ("020", 8, "MU:230"),
];

/// Emergency numbers, by countries.
const EMERGENCY: &[(&str, &[&str])] = &[
    ("US CA PR VI GU AS MP AI BM DO GD KN KY SX MX CR EC SV HN UY PY", &["911"]),
    ("AG DM LC MS TC VC VG", &["911", "999"]),
    ("BS", &["911", "919"]),
    ("BB", &["211", "311", "511", "911"]),
    ("JM", &["110", "112", "119", "911"]),
    ("TT", &["811", "911", "990", "999"]),
    ("DK EE FI FO GE GL IS LT MT NL PT RO SE KW", &["112"]),
    ("GB GG IE IM JE", &["112", "999"]),
    ("DE", &["110", "112"]),
    ("AT", &["112", "122", "133", "140", "144"]),
    ("BE", &["100", "101", "112"]),
    ("BG", &["112", "150", "160", "166"]),
    ("CH LI", &["112", "117", "118", "144"]),
    ("CY", &["112", "199"]),
    ("CZ", &["112", "150", "155", "156", "158"]),
    ("ES", &["061", "062", "080", "085", "091", "092", "112"]),
    ("FR GF GP MQ RE YT NC PF", &["15", "17", "18", "112", "114", "115", "119", "191", "196"]),
    ("MC", &["15", "17", "18", "112"]),
    ("GI", &["112", "190", "199", "999"]),
    ("GR", &["100", "108", "112", "166", "199"]),
    ("HR", &["112", "192", "193", "194", "195"]),
    ("HU", &["104", "105", "107", "112"]),
    ("IT SM VA", &["112", "113", "115", "118"]),
    ("LU SI", &["112", "113"]),
    ("LV", &["110", "112", "113"]),
    ("NO SJ", &["110", "112", "113"]),
    ("PL", &["112", "997", "998", "999"]),
    ("SK", &["112", "150", "155", "158"]),
    ("AD", &["110", "112", "116", "118"]),
    ("AL", &["112", "127", "128", "129"]),
    ("BA ME", &["112", "122", "123", "124"]),
    ("MK RS XK", &["112", "192", "193", "194"]),
    ("MD", &["112", "901", "902", "903"]),
    ("BY KZ RU UA AZ KG UZ", &["101", "102", "103", "112"]),
    ("AM", &["101", "102", "103", "112", "911"]),
    ("TR", &["110", "112", "155", "156", "177"]),
    ("IL", &["100", "101", "102", "112"]),
    ("AE", &["112", "997", "998", "999"]),
    ("SA", &["112", "911", "997", "998", "999"]),
    ("QA BH", &["112", "999"]),
    ("OM", &["112", "9999"]),
    ("JO", &["112", "911"]),
    ("LB", &["112", "125", "140", "175"]),
    ("EG", &["112", "122", "123", "180"]),
    ("IR", &["110", "112", "115", "125"]),
    ("AU", &["000", "106", "112"]),
    ("NZ", &["111"]),
    ("JP", &["110", "118", "119"]),
    ("KR", &["112", "119"]),
    ("CN", &["110", "119", "120", "122"]),
    ("HK", &["112", "999"]),
    ("MO", &["110", "112", "999"]),
    ("TW", &["110", "112", "119"]),
    ("SG", &["112", "995", "999"]),
    ("MY", &["112", "999"]),
    ("TH", &["191", "199", "1669"]),
    ("VN", &["112", "113", "114", "115"]),
    ("ID", &["110", "112", "113", "118", "119"]),
    ("PH", &["112", "117", "911"]),
    ("IN", &["100", "101", "102", "108", "112"]),
    ("PK", &["15", "16", "115", "1122"]),
    ("BD", &["999"]),
    ("LK", &["110", "119", "1990"]),
    ("NP", &["100", "101", "102"]),
    ("ZA", &["112", "10111", "10177"]),
    ("NG", &["112", "199"]),
    ("KE", &["112", "911", "999"]),
    ("GH", &["112", "191", "192", "193"]),
    ("MA", &["15", "19", "112", "177"]),
    ("TN", &["190", "193", "197", "198"]),
    ("BR", &["190", "192", "193"]),
    ("AR", &["100", "101", "107", "112", "911"]),
    ("CL", &["131", "132", "133"]),
    ("CO", &["112", "123"]),
    ("PE", &["105", "106", "116"]),
    ("VE", &["171", "911"]),
    ("BO", &["110", "118", "119"]),
    ("PA", &["103", "104", "911"]),
    ("GT", &["110", "120", "122", "123"]),
    ("NI", &["115", "118", "128"]),
    ("CU", &["104", "105", "106"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use nizam_wire::number::read;

    #[test]
    fn each_country_stands_in_one_table_once() {
        let listed = AMERICA.split(' ').map(str::to_owned);
        let tables = PREFIXED.iter().map(|(_, _, list)| list).chain(PLAIN.iter().map(|(_, _, list)| list));
        let pairs = tables.flat_map(|list| list.split(' ')).map(|pair| {
            let (country, code) = pair.split_once(':').unwrap();
            assert!(
                !code.is_empty() && code.len() <= 3 && code.bytes().all(|b| b.is_ascii_digit()),
                "{pair}"
            );
            country.to_owned()
        });
        let mut all: Vec<String> = listed.chain(pairs).collect();
        assert!(
            all.iter().all(|country| country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
        );
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(count > 200, "{count}");
        assert!(all.iter().all(|country| home(country).is_some()));
    }

    #[test]
    fn national_numbers() {
        for (country, dialled, want) in [
            ("de", "030123456", "4930123456"),
            ("HU", "061234567", "361234567"),
            ("RU", "84951234567", "74951234567"),
            ("IT", "0612345678", "390612345678"),
            ("NO", "22123456", "4722123456"),
            ("AU", "0011493012345", "493012345"),
            ("CA", "4165551234", "14165551234"),
        ] {
            let number = read(dialled.as_bytes(), home(country).as_ref()).unwrap();
            assert_eq!(String::from_utf8_lossy(number.as_bytes()), want, "{country}");
        }
        assert_eq!(home("ZZ"), None);
        assert_eq!(home(""), None);
    }

    #[test]
    fn emergency_numbers_are_those_of_known_countries_once() {
        let mut countries: Vec<&str> =
            EMERGENCY.iter().flat_map(|(countries, _)| countries.split(' ')).collect();
        assert!(countries.iter().all(|country| home(country).is_some()), "{countries:?}");
        let count = countries.len();
        countries.sort_unstable();
        countries.dedup();
        assert_eq!(countries.len(), count);
        for (_, numbers) in EMERGENCY {
            assert!(numbers.iter().all(|number| (2..=6).contains(&number.len())));
            assert!(numbers.iter().all(|number| number.bytes().all(|b| b.is_ascii_digit())));
        }
        for (country, want) in
            [("us", "911"), ("DE", "110"), ("GB", "999"), ("AU", "106"), ("ZZ", "112"), ("", "000")]
        {
            assert!(emergency_numbers(country).contains(&want), "{country}");
        }
    }

    /// Whatever somebody writes at whatever home: it is among the spellings of what it means.
    #[test]
    fn every_number_is_one_of_the_spellings_of_its_digits() {
        let countries: Vec<String> = (b'A'..=b'Z')
            .flat_map(|a| (b'A'..=b'Z').map(move |b| [char::from(a), char::from(b)].iter().collect()))
            .collect();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        let mut compared = 0;
        for country in &countries {
            let home = home(country);
            for _ in 0..40 {
                let mut text = String::new();
                match random(4) {
                    0 => text.push('+'),
                    1 => text.push_str(home.map_or("00", |home| home.international)),
                    2 => text.push_str(home.map_or("", |home| home.trunk)),
                    _ => {}
                }
                let digits = random(16) + 1;
                text.extend(
                    (0..digits).filter_map(|_| char::from_digit(u32::try_from(random(10)).unwrap(), 10)),
                );
                let Some(number) = read(text.as_bytes(), home.as_ref()) else { continue };
                let digits = std::str::from_utf8(number.as_bytes()).unwrap();
                assert!(spellings(digits).contains(&text), "{text} in {country} is {digits}");
                compared += 1;
            }
        }
        assert!(compared > 20_000, "{compared}");
        assert!(spellings("49301234567").len() < 50);
    }
}
