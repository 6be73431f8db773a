//! The list of instructions that only compute: they write the registers, flags and memory that the
//! decoder says, and nothing else.

use iced_x86::Mnemonic;

/// Whether an instruction only computes.
pub(crate) fn is_pure(mnemonic: Mnemonic) -> bool {
    use Mnemonic::*;
    matches!(
        mnemonic,
        // Integers.
        Mov | Movzx | Movsx | Movsxd | Add | Sub | Adc | Sbb | And | Or | Xor | Not | Neg | Inc | Dec | Cmp | Test
        | Imul | Mul | Div | Idiv | Cdq | Cqo | Cwd | Cdqe | Cwde | Cbw | Shl | Shr | Sar | Rol | Ror | Shld | Shrd
        | Bsf | Bsr | Bt | Bts | Btr | Btc | Bswap | Lzcnt | Tzcnt | Popcnt | Andn | Bextr | Blsi | Blsr | Blsmsk | Bzhi
        | Rorx | Sarx | Shlx | Shrx | Mulx | Nop | Lea
        | Sete | Setne | Seta | Setae | Setb | Setbe | Setg | Setge | Setl | Setle | Setp | Setnp | Sets | Setns | Seto | Setno
        // Moves of vectors and floats.
        | Movd | Movq | Movss | Movsd | Movaps | Movapd | Movups | Movupd | Movdqa | Movdqu | Movhps | Movlps | Movhpd | Movlpd
        | Movhlps | Movlhps | Movddup | Movmskps | Movmskpd | Pmovmskb
        | Vmovd | Vmovq | Vmovss | Vmovsd | Vmovaps | Vmovapd | Vmovups | Vmovupd | Vmovdqa | Vmovdqu | Vmovhps | Vmovlps
        | Vmovhpd | Vmovlpd | Vmovhlps | Vmovlhps | Vmovddup | Vmovmskps | Vmovmskpd | Vpmovmskb
        | Pinsrb | Pinsrw | Pinsrd | Pinsrq | Pextrb | Pextrw | Pextrd | Pextrq | Insertps | Extractps
        | Vpinsrb | Vpinsrw | Vpinsrd | Vpinsrq | Vpextrb | Vpextrw | Vpextrd | Vpextrq | Vinsertps | Vextractps
        | Vpbroadcastb | Vpbroadcastw | Vpbroadcastd | Vpbroadcastq | Vbroadcastss
        // Floats.
        | Addss | Addsd | Addps | Addpd | Subss | Subsd | Subps | Subpd | Mulss | Mulsd | Mulps | Mulpd | Divss | Divsd | Divps
        | Divpd | Sqrtss | Sqrtsd | Sqrtps | Sqrtpd | Minss | Minsd | Minps | Minpd | Maxss | Maxsd | Maxps | Maxpd
        | Roundss | Roundsd | Roundps | Roundpd | Ucomiss | Ucomisd | Cmpss | Cmpsd | Cmpps | Cmppd
        | Andps | Andpd | Andnps | Andnpd | Orps | Orpd | Xorps | Xorpd | Shufps | Shufpd | Unpcklps | Unpcklpd | Unpckhps
        | Unpckhpd | Cvtss2sd | Cvtsd2ss | Cvtsi2ss | Cvtsi2sd | Cvttss2si | Cvttsd2si | Cvtdq2ps | Cvtdq2pd | Cvttps2dq
        | Cvttpd2dq | Cvtps2pd | Cvtpd2ps | Blendvps | Blendvpd | Pblendvb | Pblendw
        | Vaddss | Vaddsd | Vaddps | Vaddpd | Vsubss | Vsubsd | Vsubps | Vsubpd | Vmulss | Vmulsd | Vmulps | Vmulpd | Vdivss
        | Vdivsd | Vdivps | Vdivpd | Vsqrtss | Vsqrtsd | Vsqrtps | Vsqrtpd | Vminss | Vminsd | Vminps | Vminpd | Vmaxss
        | Vmaxsd | Vmaxps | Vmaxpd | Vroundss | Vroundsd | Vroundps | Vroundpd | Vucomiss | Vucomisd | Vcmpss | Vcmpsd | Vcmpps
        | Vcmppd | Vandps | Vandpd | Vandnps | Vandnpd | Vorps | Vorpd | Vxorps | Vxorpd | Vshufps | Vshufpd | Vunpcklps
        | Vunpcklpd | Vunpckhps | Vunpckhpd | Vcvtss2sd | Vcvtsd2ss | Vcvtsi2ss | Vcvtsi2sd | Vcvttss2si | Vcvttsd2si
        | Vcvtdq2ps | Vcvtdq2pd | Vcvttps2dq | Vcvttpd2dq | Vcvtps2pd | Vcvtpd2ps | Vcvtudq2ps | Vblendvps | Vblendvpd
        | Vpblendvb | Vpblendw
        // Vectors of integers.
        | Paddb | Paddw | Paddd | Paddq | Psubb | Psubw | Psubd | Psubq | Paddsb | Paddsw | Paddusb | Paddusw | Psubsb
        | Psubsw | Psubusb | Psubusw | Pmullw | Pmulld | Pmuludq | Pmuldq | Pmulhw | Pmulhuw | Pmulhrsw | Pmaddwd | Pmaddubsw
        | Pand | Pandn | Por | Pxor | Psllw | Pslld | Psllq | Psrlw | Psrld | Psrlq | Psraw | Psrad | Pslldq | Psrldq
        | Pcmpeqb | Pcmpeqw | Pcmpeqd | Pcmpeqq | Pcmpgtb | Pcmpgtw | Pcmpgtd | Pcmpgtq | Pminsb | Pminsw | Pminsd | Pminub
        | Pminuw | Pminud | Pmaxsb | Pmaxsw | Pmaxsd | Pmaxub | Pmaxuw | Pmaxud | Pavgb | Pavgw | Pabsb | Pabsw | Pabsd
        | Pshufb | Pshufd | Pshuflw | Pshufhw | Palignr | Packsswb | Packssdw | Packuswb | Packusdw | Punpcklbw | Punpcklwd
        | Punpckldq | Punpcklqdq | Punpckhbw | Punpckhwd | Punpckhdq | Punpckhqdq | Pmovsxbw | Pmovsxwd | Pmovsxdq | Pmovzxbw
        | Pmovzxwd | Pmovzxdq | Ptest
        | Vpaddb | Vpaddw | Vpaddd | Vpaddq | Vpsubb | Vpsubw | Vpsubd | Vpsubq | Vpaddsb | Vpaddsw | Vpaddusb | Vpaddusw
        | Vpsubsb | Vpsubsw | Vpsubusb | Vpsubusw | Vpmullw | Vpmulld | Vpmullq | Vpmuludq | Vpmuldq | Vpmulhw | Vpmulhuw
        | Vpmulhrsw | Vpmaddwd | Vpmaddubsw | Vpand | Vpandn | Vpor | Vpxor | Vpsllw | Vpslld | Vpsllq | Vpsrlw | Vpsrld
        | Vpsrlq | Vpsraw | Vpsrad | Vpsraq | Vpslldq | Vpsrldq | Vpcmpeqb | Vpcmpeqw | Vpcmpeqd | Vpcmpeqq | Vpcmpgtb
        | Vpcmpgtw | Vpcmpgtd | Vpcmpgtq | Vpminsb | Vpminsw | Vpminsd | Vpminub | Vpminuw | Vpminud | Vpmaxsb | Vpmaxsw
        | Vpmaxsd | Vpmaxub | Vpmaxuw | Vpmaxud | Vpavgb | Vpavgw | Vpabsb | Vpabsw | Vpabsd | Vpabsq | Vpshufb | Vpshufd
        | Vpshuflw | Vpshufhw | Vpalignr | Vpacksswb | Vpackssdw | Vpackuswb | Vpackusdw | Vpunpcklbw | Vpunpcklwd
        | Vpunpckldq | Vpunpcklqdq | Vpunpckhbw | Vpunpckhwd | Vpunpckhdq | Vpunpckhqdq | Vpmovsxbw | Vpmovsxwd | Vpmovsxdq
        | Vpmovzxbw | Vpmovzxwd | Vpmovzxdq | Vptest
    )
}
