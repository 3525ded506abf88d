//! How numbers are dialled where a tenant is at home: ITU-T Operational Bulletin 994 (dialling procedures) and E.164.D
//! (country codes).

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
}
